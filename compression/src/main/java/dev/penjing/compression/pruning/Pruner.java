package dev.penjing.compression.pruning;

import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.architecture.TensorTable;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorView;
import java.nio.file.Path;
import java.util.List;

/// Cuts a student out of a teacher's checkpoint, tensor by tensor from mapped file to streamed
/// file: no more than one tensor is in memory.
///
/// What is kept keeps its values and its order; nothing is rescaled. The student's layer k is one
/// of the teacher's layers, and of every tensor those rows and columns stay that its axes keep.
public final class Pruner {

    private Pruner() {}

    /// The student's configuration; its head dimension is explicit, for heads times head dimension
    /// may no longer be the hidden size.
    public static ModelConfig studentConfig(ModelConfig teacher, Cut cut) {
        return teacher.resized(cut.shape(), cut.layers());
    }

    /// Writes `config.json` and the weights of the student to `directory`, in the teacher's type.
    public static ModelConfig prune(
            Path teacherDirectory,
            ModelConfig teacher,
            Cut cut,
            Path directory,
            Progress progress) {
        ModelConfig student = studentConfig(teacher, cut);
        TensorTable originals = teacher.tensors();
        try (Checkpoint source = Checkpoint.open(teacherDirectory)) {
            source.check(teacher);
            List<TensorSpec> tensors = student.tensors();
            DType type = source.tensor(originals.getFirst()).dtype();
            try (SafetensorsWriter writer = SafetensorsWriter.ofModel(directory, tensors, type)) {
                int done = 0;
                for (TensorSpec tensor : tensors) {
                    TensorSpec original = original(tensor, originals, cut);
                    TensorView view = source.usable(original);
                    writer.write(tensor, slice(view.toFloats(), original, teacher, cut));
                    progress.update("prune", ++done, tensors.size(), tensor.name());
                }
                writer.finish();
            }
        }
        student.write(directory.resolve("config.json"));
        return student;
    }

    private static TensorSpec original(TensorSpec tensor, TensorTable originals, Cut cut) {
        return tensor.layer().isPresent()
                ? originals.in(cut.layers()[tensor.layer().getAsInt()], tensor.role())
                : originals.of(tensor.role());
    }

    /// The kept rows (or elements of a vector) and columns of a row-major matrix.
    private static float[] slice(float[] values, TensorSpec spec, ModelConfig teacher, Cut cut) {
        int layer = spec.layer().orElse(0);
        int[] rows = kept(spec.rows(), layer, teacher, cut);
        int[] columns = kept(spec.columns(), layer, teacher, cut);
        int width = Math.toIntExact(teacher.shape().extent(spec.columns()));
        float[] kept = new float[rows.length * columns.length];
        int at = 0;
        for (int row : rows) {
            for (int column : columns) {
                kept[at++] = values[row * width + column];
            }
        }
        return kept;
    }

    /// Indices along several axes in one, the first the slowest; index 0 along none.
    private static int[] kept(List<Axis> axes, int layer, ModelConfig teacher, Cut cut) {
        int[] indices = {0};
        for (Axis axis : axes) {
            int size = teacher.shape().get(axis);
            int[] along = cut.kept(axis, layer);
            int[] both = new int[indices.length * along.length];
            for (int i = 0; i < both.length; i++) {
                both[i] = indices[i / along.length] * size + along[i % along.length];
            }
            indices = both;
        }
        return indices;
    }
}
