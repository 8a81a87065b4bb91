package dev.penjing.compression.pruning;

import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.architecture.TensorTable;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorView;
import dev.penjing.model.vocabulary.Vocabulary;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Cuts a student out of a teacher's checkpoint, tensor by tensor from mapped file to streamed
/// file: no more than a row and a piece of a tensor are in memory.
///
/// What is kept keeps its values and its order; nothing is rescaled. The student's layer k is one
/// of the teacher's layers, and of every tensor those rows and columns stay that its axes keep.
public final class Pruner {

    private Pruner() {}

    /// The student's configuration; its head dimension is explicit, for heads times head dimension
    /// may no longer be the hidden size. The tokens that it names have their ids in the student.
    public static ModelConfig studentConfig(ModelConfig teacher, Cut cut) {
        ModelConfig student = teacher.resized(cut.shape(), cut.layers());
        return cut.cutsVocabulary(teacher)
                ? student.withTokens(id -> Arrays.binarySearch(cut.tokens(), id))
                : student;
    }

    /// Writes `config.json` and the weights of the student to `directory`, in the teacher's type,
    /// and beside them the teacher's tokenizer and what else belongs to a model, with the tokens
    /// that the student keeps.
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
                    writer.write(tensor, slice(source, original, teacher, cut));
                    progress.update("prune", ++done, tensors.size(), tensor.name());
                }
                writer.finish();
            }
        }
        student.write(directory.resolve("config.json"));
        Vocabulary.copyCompanions(teacherDirectory, teacher, cut.tokens(), directory);
        return student;
    }

    private static TensorSpec original(TensorSpec tensor, TensorTable originals, Cut cut) {
        return tensor.layer().isPresent()
                ? originals.in(cut.layers()[tensor.layer().getAsInt()], tensor.role())
                : originals.of(tensor.role());
    }

    /// What is kept of one of the teacher's tensors: rows (or elements of a vector) and columns,
    /// read from the mapped file a piece at a time.
    public static SafetensorsWriter.Elements slice(
            Checkpoint source, TensorSpec spec, ModelConfig teacher, Cut cut) {
        int layer = spec.layer().orElse(0);
        int[] rows = cut.indices(spec.rows(), layer, teacher);
        int[] columns = cut.indices(spec.columns(), layer, teacher);
        int width = Math.toIntExact(teacher.shape().extent(spec.columns()));
        return new Slice(source.usable(spec), rows, columns, new float[width]);
    }

    /// The elements of some rows and columns, in order.
    private static final class Slice implements SafetensorsWriter.Elements {
        private final TensorView view;
        private final int[] rows;
        private final int[] columns;
        private final float[] row;

        /// Which of `rows` is in `row`.
        private int at;

        /// How much of that row has been given out.
        private int given;

        Slice(TensorView view, int[] rows, int[] columns, float[] row) {
            this.view = view;
            this.rows = rows;
            this.columns = columns;
            this.row = row;
            this.given = columns.length;
            this.at = -1;
        }

        @Override
        public void next(float[] into, int count) {
            for (int done = 0; done < count; ) {
                if (given == columns.length) {
                    view.read((long) rows[++at] * row.length, row, 0, row.length);
                    given = 0;
                }
                int some = Math.min(count - done, columns.length - given);
                for (int i = 0; i < some; i++) {
                    into[done + i] = row[columns[given + i]];
                }
                given += some;
                done += some;
            }
        }
    }
}
