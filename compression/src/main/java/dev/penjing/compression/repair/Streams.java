package dev.penjing.compression.repair;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.layerwise.HiddenFile;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The residual streams of student and teacher over all of the calibration text, at the input of
/// the student's next layer. The teacher's is kept only where something is measured against it.
final class Streams implements AutoCloseable {
    private final Path folder;
    private final long tokens;
    private final ModelConfig teacherConfig;
    private final int studentWidth;
    private HiddenFile student;
    private Optional<HiddenFile> teacher;

    private Streams(RepairContext context, Cut cut, int layer) {
        this.folder = context.work().folder();
        this.tokens = context.calibration().tokens();
        this.teacherConfig = context.teacher();
        this.studentWidth = cut.kept(Axis.HIDDEN, 0).length;
        this.student = file("student-" + layer, studentWidth, layer > 0);
        boolean wanted =
                studentWidth < teacherConfig.hiddenSize()
                        || cut.layers().length < teacherConfig.numHiddenLayers();
        this.teacher =
                wanted
                        ? Optional.of(
                                file("teacher-" + layer, teacherConfig.hiddenSize(), layer > 0))
                        : Optional.empty();
    }

    /// Those at the input of one of the student's layers; the first ones are made of the embedding.
    static Streams open(RepairContext context, Cut cut, int layer) {
        Streams streams = new Streams(context, cut, layer);
        try (Closer closer = new Closer()) {
            closer.own(streams, Streams::close);
            if (layer == 0) {
                streams.embed(context, cut);
            }
            closer.keep();
            return streams;
        }
    }

    private void embed(RepairContext context, Cut cut) {
        Checkpoint checkpoint = context.checkpoint();
        int[] channels = cut.kept(Axis.HIDDEN, 0);
        try (PointerScope scope = new PointerScope()) {
            Tensor embedding =
                    FlatParameters.mapped(
                            checkpoint.usable(teacherConfig.tensors().of(Role.EMBEDDING)));
            Tensor kept = LeastSquares.indices(channels);
            for (Calibration.Batch batch : context.calibration().batches()) {
                try (PointerScope inner = new PointerScope()) {
                    Tensor ids = context.calibration().ids(batch, context.compute()).cpu();
                    Tensor rows =
                            embedding
                                    .index_select(0, ids.view(-1))
                                    .to(ScalarType.Float)
                                    .mul(new Scalar(teacherConfig.multipliers().embedding()));
                    teacher.ifPresent(t -> t.rows(batch.from(), batch.tokens()).copy_(rows));
                    student.rows(batch.from(), batch.tokens()).copy_(rows.index_select(1, kept));
                }
            }
        }
    }

    HiddenFile student() {
        return student;
    }

    Optional<HiddenFile> teacher() {
        return teacher;
    }

    /// A file for states between here and there.
    HiddenFile scratch(String name, boolean ofTeacher) {
        return file(name, ofTeacher ? teacherConfig.hiddenSize() : studentWidth, false);
    }

    private HiddenFile file(String name, int width, boolean isThere) {
        return new HiddenFile(folder.resolve(name + ".states"), tokens, width, isThere);
    }

    /// Goes on to the input of the student's next layer.
    void advance(HiddenFile nextStudent, Optional<HiddenFile> nextTeacher) {
        student.delete();
        teacher.ifPresent(HiddenFile::delete);
        student = nextStudent;
        teacher = nextTeacher;
    }

    /// The gain of a norm that reads these channels of the teacher's stream only: the mean over
    /// tokens of how much larger their root mean square is than that of all channels. Multiplied
    /// with the norm's weight, what it says of the kept channels is in the mean what the teacher's
    /// says.
    ///
    /// @param stream of the teacher, before the norm
    double gain(HiddenFile stream, int[] channels) {
        if (channels.length == teacherConfig.hiddenSize()) {
            return 1;
        }
        double sum = 0;
        for (long at = 0; at < tokens; at += 4096) {
            try (PointerScope scope = new PointerScope()) {
                Tensor xND = stream.rows(at, Math.min(4096, tokens - at));
                if (teacherConfig.norm() instanceof Norm.Layer) {
                    xND = xND.sub(xND.mean(new long[] {1}, true, new ScalarTypeOptional()));
                }
                Tensor all = xND.square().mean(1);
                Tensor kept = xND.index_select(1, LeastSquares.indices(channels)).square().mean(1);
                Tensor least = all.clamp_min(new Scalar(Float.MIN_NORMAL));
                sum += kept.div(least).sqrt().sum().item_double();
            }
        }
        return sum / tokens;
    }

    /// That of the last norm, once all layers are done.
    double finalGain(Cut cut) {
        return teacher.map(t -> gain(t, cut.kept(Axis.HIDDEN, 0))).orElse(1.0);
    }

    /// Closes and removes them.
    void delete() {
        student.delete();
        teacher.ifPresent(HiddenFile::delete);
    }

    @Override
    public void close() {
        student.close();
        teacher.ifPresent(HiddenFile::close);
    }
}
