package dev.penjing.compression.repair;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.pruning.Cut;
import dev.penjing.compression.pruning.Pruner;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Closer;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.Folders;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Cuts a student out of a teacher and mends in closed form what the cut tears, one layer at a time
/// over all of the calibration text: one layer's weights are in memory, and hidden states lie in
/// files. Nothing is trained. The student has the form of a plain one.
///
/// Where a layer lost neurons or heads, the matrix that reads them is refitted by least squares on
/// the student's own inputs, after everything before it has been repaired; its target is what the
/// teacher's matrix makes of all of these inputs (GRAIL, arXiv 2602.23795, and others). Where
/// hidden channels were cut, norms get a gain and their readers are refitted. Where layers were
/// cut, the `down` before the seam is refitted to where the teacher's residual stream is behind it
/// (ReplaceMe, arXiv 2505.02819). A refit stays only if its error on held-out text is less.
///
/// A repair that was stopped goes on at its layer.
public final class Repair {
    /// @param cut what is kept; [RepairSettings.Selection#OBS] chooses neurons and heads anew, as
    ///   many
    /// @param data in the teacher's tokens
    /// @param samples of it to go by
    /// @param to the student's folder
    /// @param work a folder for what is unfinished, removed in the end
    /// @param key a hash of teacher, text and cut: work on something else is not gone on with
    public record Request(
            Path teacher,
            Cut cut,
            Sequences data,
            int samples,
            RepairSettings settings,
            Path to,
            Path work,
            String key) {}

    /// @param cut what was kept in the end
    public record Result(Cut cut, RepairReport report) {}

    private final Request request;
    private final Compute compute;
    private final Progress progress;
    private final ModelConfig teacher;
    private final Calibration calibration;

    private Repair(Request request, Compute compute, Progress progress) {
        this.request = request;
        // sums and solutions want all digits
        this.compute = new Compute(compute.device(), ScalarType.Float, compute.threads());
        this.progress = progress;
        this.teacher = ModelConfig.read(request.teacher().resolve("config.json"));
        this.calibration =
                Calibration.of(request.data(), request.samples(), request.settings().heldOut());
    }

    /// Writes `config.json` and the weights of the student, in the teacher's type.
    public static Result run(Request request, Compute compute, Progress progress) {
        return new Repair(request, compute, progress).run();
    }

    private Result run() {
        long start = System.nanoTime();
        RepairWork work = RepairWork.open(request.work(), request.key());
        try (Checkpoint checkpoint = Checkpoint.open(request.teacher());
                PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            checkpoint.check(teacher);
            int[] layers = request.cut().layers();
            Cut cut = request.cut();
            try (Closer closer = new Closer()) {
                RepairContext context =
                        new RepairContext(
                                checkpoint,
                                teacher,
                                request.settings(),
                                calibration,
                                compute,
                                work);
                Streams streams =
                        closer.own(Streams.open(context, cut, work.layersDone()), Streams::close);
                for (int k = 0; k < layers.length; k++) {
                    if (k < work.layersDone()) {
                        cut = work.kept(k, layers[k], cut);
                        continue;
                    }
                    cut = new LayerRepair(context, cut, streams, k).run();
                    progress.update("repair", k + 1, layers.length, work.said(k));
                }
                ModelConfig student = Pruner.studentConfig(teacher, cut);
                double finalGain =
                        request.settings().level() == RepairSettings.Level.NONE
                                ? 1
                                : streams.finalGain(cut);
                write(checkpoint, student, cut, work, finalGain);
                streams.delete();
            }
            RepairReport report =
                    new RepairReport(
                            request.settings(),
                            calibration.tokens(),
                            work.refits(),
                            (System.nanoTime() - start) / 1e9);
            Folders.delete(request.work());
            return new Result(cut, report);
        }
    }

    private void write(
            Checkpoint checkpoint,
            ModelConfig student,
            Cut cut,
            RepairWork work,
            double finalGain) {
        List<TensorSpec> tensors = student.tensors();
        DType type = checkpoint.tensor(teacher.tensors().getFirst()).dtype();
        try (SafetensorsWriter writer = SafetensorsWriter.ofModel(request.to(), tensors, type)) {
            for (TensorSpec tensor : tensors) {
                if (tensor.layer().isPresent()) {
                    writer.write(tensor, work.tensor(tensor));
                    continue;
                }
                SafetensorsWriter.Elements kept =
                        Pruner.slice(checkpoint, teacher.tensors().of(tensor.role()), teacher, cut);
                float plus = teacher.norm().plus();
                double gain = tensor.role() == Role.FINAL_NORM ? finalGain : 1;
                writer.write(
                        tensor,
                        (into, count) -> {
                            kept.next(into, count);
                            for (int i = 0; gain != 1 && i < count; i++) {
                                into[i] = (float) ((into[i] + plus) * gain - plus);
                            }
                        });
            }
            writer.finish();
        }
        student.write(request.to().resolve("config.json"));
    }
}
