package dev.penjing.compression.repair;

import dev.penjing.compression.decoder.CausalAttention;
import dev.penjing.compression.decoder.DecoderLayer;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.ParameterLayout;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.layerwise.HiddenFile;
import dev.penjing.compression.layerwise.LayerWalk;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.pruning.Pruner;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Repairs one layer of a student, its attention and then its MLP, and takes the residual streams
/// to the next.
///
/// Three layers are at work: the teacher's; the *wide* one, which has the student's hidden channels
/// and all of the teacher's heads and neurons, so that it says what the teacher's matrices make of
/// the student's stream; and the student's.
final class LayerRepair {
    private final RepairContext context;
    private final ModelConfig teacher;
    private final ModelConfig wide;
    private final Streams streams;
    private final int layer;
    private final int original;
    private final int[] channels;
    private final boolean full;
    private final List<Refit> refits = new ArrayList<>();
    private Cut cut;

    /// @param layer of the student's
    LayerRepair(RepairContext context, Cut cut, Streams streams, int layer) {
        this.context = context;
        this.cut = cut;
        this.streams = streams;
        this.layer = layer;
        this.original = cut.layers()[layer];
        this.channels = cut.kept(Axis.HIDDEN, 0);
        this.teacher = context.teacher();
        this.wide = teacher.resized(teacher.shape().with(Axis.HIDDEN, channels.length));
        this.full = context.settings().level() == RepairSettings.Level.FULL;
    }

    /// @return the cut, with what this layer keeps
    Cut run() {
        try (Closer files = new Closer();
                Closer closer = new Closer();
                PointerScope scope = new PointerScope()) {
            FlatParameters theirs = closer.own(load(original), FlatParameters::close);
            Optional<HiddenFile> teacherMiddle =
                    streams.teacher()
                            .map(t -> closer.own(scratch(true, "middle"), HiddenFile::close));
            Optional<HiddenFile> teacherNext =
                    streams.teacher().map(t -> files.own(next(true), HiddenFile::close));
            streams.teacher()
                    .ifPresent(in ->
                            walkTeacher(
                                    theirs,
                                    in,
                                    teacherMiddle.orElseThrow(),
                                    teacherNext.orElseThrow()));
            FlatParameters wideLayer = closer.own(zeros(wide, original), FlatParameters::close);
            fillWide(theirs, wideLayer);
            FlatParameters student =
                    closer.own(zeros(studentConfig(), layer), FlatParameters::close);
            Map<Role, Tensor> refitted = new EnumMap<>(Role.class);
            HiddenFile in = streams.student();
            attentionReaders(theirs, wideLayer, in);
            if (full && headsCut()) {
                refitted.put(Role.OUTPUT, output(wideLayer, in));
            }
            fillStudent(wideLayer, student, refitted);
            HiddenFile middle = closer.own(scratch(false, "middle"), HiddenFile::close);
            walk(studentConfig(), layer, student).attention(in, middle);
            teacherMiddle.ifPresent(t -> mlpReaders(theirs, wideLayer, t, middle));
            if (full && (neuronsCut() || seam())) {
                refitted.put(Role.DOWN, down(wideLayer, middle, teacherNext));
            }
            fillStudent(wideLayer, student, refitted);
            HiddenFile next = files.own(next(false), HiddenFile::close);
            walk(studentConfig(), layer, student).mlp(middle, next);
            finish(student);
            files.keep();
            streams.advance(next, teacherNext);
        }
        return cut;
    }

    private ModelConfig studentConfig() {
        return Pruner.studentConfig(teacher, cut);
    }

    private boolean headsCut() {
        return cut.kept(Axis.QUERY_HEAD, original).length < teacher.numAttentionHeads();
    }

    private boolean neuronsCut() {
        return cut.kept(Axis.NEURON, original).length < teacher.intermediateSize();
    }

    /// The teacher's layer at whose input the student's next one reads.
    private int nextOriginal() {
        int[] layers = cut.layers();
        return layer + 1 < layers.length ? layers[layer + 1] : teacher.numHiddenLayers();
    }

    /// Whether layers were cut out behind this one, and a refit can close the gap.
    private boolean seam() {
        return nextOriginal() > original + 1 && !normAfterMlp();
    }

    /// Whether what the MLP writes is normalised before it is added: no matrix can then be fitted
    /// to what should be added.
    private boolean normAfterMlp() {
        return teacher.tensors().find(original, Role.AFTER_MLP_NORM).isPresent();
    }

    private FlatParameters load(int index) {
        return FlatParameters.ofLayer(
                context.checkpoint(), teacher, index, context.compute(), ScalarType.Float);
    }

    private FlatParameters zeros(ModelConfig config, int index) {
        return FlatParameters.zerosOfLayer(config, index, context.compute(), ScalarType.Float);
    }

    private HiddenFile scratch(boolean ofTeacher, String name) {
        return streams.scratch((ofTeacher ? "teacher-" : "student-") + name, ofTeacher);
    }

    private HiddenFile next(boolean ofTeacher) {
        return scratch(ofTeacher, Integer.toString(layer + 1));
    }

    private LayerWalk walk(ModelConfig config, int index, FlatParameters parameters) {
        return new LayerWalk(config, index, parameters, context.calibration(), context.compute());
    }

    /// Runs the teacher's layer and those behind it that the student does without.
    private void walkTeacher(
            FlatParameters first, HiddenFile in, HiddenFile middle, HiddenFile next) {
        walk(teacher, original, first).attention(in, middle);
        walk(teacher, original, first).mlp(middle, next);
        for (int i = original + 1; i < nextOriginal(); i++) {
            try (FlatParameters parameters = load(i);
                    HiddenFile between = scratch(true, "between")) {
                walk(teacher, i, parameters).attention(next, between);
                walk(teacher, i, parameters).mlp(between, next);
            }
        }
    }

    /// The teacher's layer in the student's channels.
    private void fillWide(FlatParameters from, FlatParameters to) {
        Cut narrow = Cut.nothing(teacher).with(Axis.HIDDEN, List.of(channels));
        for (ParameterLayout.Slot slot : to.layout().slots()) {
            TensorSpec source = teacher.tensors().in(original, slot.spec().role());
            copySliced(from.view(source), source, narrow, teacher, to.view(slot.spec()));
        }
    }

    /// The wide layer's heads and neurons that the cut keeps, and the refitted matrices.
    private void fillStudent(FlatParameters from, FlatParameters to, Map<Role, Tensor> refitted) {
        Cut ownChannels =
                cut.with(Axis.HIDDEN, List.of(IntStream.range(0, channels.length).toArray()));
        for (ParameterLayout.Slot slot : to.layout().slots()) {
            Role role = slot.spec().role();
            TensorSpec source = wide.tensors().in(original, role);
            Tensor target = to.view(slot.spec());
            Optional.ofNullable(refitted.get(role))
                    .ifPresentOrElse(
                            target::copy_,
                            () -> copySliced(from.view(source), source, ownChannels, wide, target));
        }
    }

    private void copySliced(Tensor from, TensorSpec spec, Cut kept, ModelConfig config, Tensor to) {
        try (PointerScope scope = new PointerScope()) {
            Tensor rows = LeastSquares.indices(kept.indices(spec.rows(), original, config));
            Tensor sliced = from.index_select(0, context.compute().place(rows));
            if (spec.matrix()) {
                Tensor columns =
                        LeastSquares.indices(kept.indices(spec.columns(), original, config));
                sliced = sliced.index_select(1, context.compute().place(columns));
            }
            to.copy_(sliced);
        }
    }

    private void attentionReaders(FlatParameters theirs, FlatParameters wideLayer, HiddenFile in) {
        streams.teacher()
                .ifPresent(t -> {
                    DecoderLayer teachers = walk(teacher, original, theirs).layer();
                    DecoderLayer students = walk(wide, original, wideLayer).layer();
                    readers(
                            theirs,
                            wideLayer,
                            Role.ATTENTION_NORM,
                            List.of(Role.QUERY, Role.KEY, Role.VALUE),
                            t,
                            b -> students.attentionNorm(context.rows(in, b)),
                            b -> teachers.attentionNorm(context.rows(t, b)));
                });
    }

    private void mlpReaders(
            FlatParameters theirs, FlatParameters wideLayer, HiddenFile t, HiddenFile middle) {
        DecoderLayer teachers = walk(teacher, original, theirs).layer();
        DecoderLayer students = walk(wide, original, wideLayer).layer();
        readers(
                theirs,
                wideLayer,
                Role.MLP_NORM,
                List.of(Role.GATE, Role.UP),
                t,
                b -> students.mlpNorm(context.rows(middle, b)),
                b -> teachers.mlpNorm(context.rows(t, b)));
    }

    /// Where channels were cut: the norm's gain, and refits of what reads the norm. With A the
    /// matrix that comes closest to the teacher's normed stream from the student's, a reader W
    /// becomes `W A`.
    ///
    /// @param stream of the teacher, before the norm
    /// @param inputs the student's normed stream
    /// @param targets the teacher's
    private void readers(
            FlatParameters theirs,
            FlatParameters wideLayer,
            Role norm,
            List<Role> readers,
            HiddenFile stream,
            Function<Calibration.Batch, Tensor> inputs,
            Function<Calibration.Batch, Tensor> targets) {
        RepairSettings.Level level = context.settings().level();
        if (channels.length == teacher.hiddenSize() || level == RepairSettings.Level.NONE) {
            return;
        }
        double gain = streams.gain(stream, channels);
        float plus = wide.norm().plus();
        wide.tensors()
                .find(original, norm)
                .map(wideLayer::view)
                .ifPresent(w ->
                        w.add_(new Scalar(plus)).mul_(new Scalar(gain)).sub_(new Scalar(plus)));
        if (level == RepairSettings.Level.NORMS) {
            return;
        }
        try (Refitter refitter = new Refitter(channels.length, teacher.hiddenSize());
                PointerScope scope = new PointerScope()) {
            Tensor kept = LeastSquares.indices(channels);
            // which of the teacher's channels each of the student's is
            Tensor chosen = torch.one_hot(kept, teacher.hiddenSize()).t().to(ScalarType.Double);
            refitter.sum(context.calibration(), inputs, Optional.of(targets), chosen);
            Tensor all = LeastSquares.indices(IntStream.range(0, channels.length).toArray());
            Refitter.Solution best =
                    refitter.solve(layer, norm, chosen, all, context.settings().ridges());
            refits.add(best.refit());
            if (best.refit().kept()) {
                for (Role role : readers) {
                    if (wide.tensors().find(original, role).isEmpty()) {
                        continue;
                    }
                    Tensor source = theirs.view(teacher.tensors().in(original, role));
                    wideLayer
                            .view(wide.tensors().in(original, role))
                            .copy_(torch.matmul(source.cpu().to(ScalarType.Double), best.weight()));
                }
            }
        }
    }

    /// The refitted output projection of attention.
    private Tensor output(FlatParameters wideLayer, HiddenFile in) {
        try (CausalAttention attention = new CausalAttention(wide, context.compute())) {
            DecoderLayer l = walk(wide, original, wideLayer).layer();
            return refit(
                    Role.OUTPUT,
                    Axis.QUERY_HEAD,
                    wideLayer,
                    b ->
                            l.heads(
                                    l.attentionNorm(context.rows(in, b)),
                                    b.samples(),
                                    b.length(),
                                    attention),
                    Optional.empty());
        }
    }

    /// The refitted down projection of the MLP. At a seam its target is the teacher's stream behind
    /// the layers that were cut out.
    private Tensor down(
            FlatParameters wideLayer, HiddenFile middle, Optional<HiddenFile> teacherNext) {
        DecoderLayer l = walk(wide, original, wideLayer).layer();
        Tensor kept = context.compute().place(LeastSquares.indices(channels));
        Scalar residual = new Scalar(teacher.multipliers().residual());
        Optional<Function<Calibration.Batch, Tensor>> behind =
                teacherNext
                        .filter(t -> seam())
                        .map(t ->
                                b ->
                                        context.rows(t, b)
                                                .index_select(1, kept)
                                                .sub(context.rows(middle, b))
                                                .div(residual));
        return refit(
                Role.DOWN,
                Axis.NEURON,
                wideLayer,
                b -> l.neurons(l.mlpNorm(context.rows(middle, b))),
                behind);
    }

    /// Chooses what a matrix reads, if that is to be chosen here, and refits it.
    ///
    /// @param axis of its inputs
    /// @param inputs all of them, of the wide layer
    /// @param targets what it should write; where empty, what the wide matrix makes of all inputs
    /// @return its weights, in the caller's scope
    private Tensor refit(
            Role role,
            Axis axis,
            FlatParameters wideLayer,
            Function<Calibration.Batch, Tensor> inputs,
            Optional<Function<Calibration.Batch, Tensor>> targets) {
        TensorSpec spec = wide.tensors().in(original, role);
        return Tensors.scoped(() -> {
            Tensor weightDF = wideLayer.view(spec).cpu().to(ScalarType.Double);
            try (Refitter refitter = new Refitter(spec.shape()[1], channels.length)) {
                refitter.sum(context.calibration(), inputs, targets, weightDF);
                choose(axis, refitter.gram(), weightDF);
                Tensor columns =
                        LeastSquares.indices(cut.indices(spec.columns(), original, teacher));
                Tensor sliced = weightDF.index_select(1, columns);
                Refitter.Solution best =
                        refitter.solve(layer, role, sliced, columns, context.settings().ridges());
                refits.add(best.refit());
                return (best.refit().kept() ? best.weight() : sliced).to(ScalarType.Float);
            }
        });
    }

    private void choose(Axis axis, Tensor gramFF, Tensor weightDF) {
        int keep = cut.kept(axis, original).length;
        if (context.settings().selection() != RepairSettings.Selection.OBS
                || keep == teacher.shape().get(axis)) {
            return;
        }
        boolean heads = axis == Axis.QUERY_HEAD;
        int unit = heads ? teacher.headDim() : 1;
        int groups = heads ? teacher.numKeyValueHeads() : 1;
        int[] kept = BrainSurgeon.keep(gramFF, weightDF, unit, groups, keep);
        cut = cut.with(axis, original, kept);
    }

    private void finish(FlatParameters student) {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        for (ParameterLayout.Slot slot : student.layout().slots()) {
            tensors.put(slot.spec().name(), Tensors.floats(student.view(slot.spec())));
        }
        Map<Axis, int[]> kept = new EnumMap<>(Axis.class);
        for (Axis axis : List.of(Axis.NEURON, Axis.QUERY_HEAD)) {
            kept.put(axis, cut.kept(axis, original));
        }
        context.work().finish(layer, tensors, kept, refits);
    }
}
