package dev.penjing.compression.pruning;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorView;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// Cuts a student out of a teacher's checkpoint, tensor by tensor from mapped file to streamed
/// file: no more than one tensor is in memory.
///
/// What is kept keeps its values and its order; nothing is rescaled.
public final class Pruner {
    private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)");

    private final ModelConfig teacher;
    private final Cut cut;

    private Pruner(ModelConfig teacher, Cut cut) {
        this.teacher = teacher;
        this.cut = cut;
    }

    /// The student's configuration; its head dimension is explicit, for heads times head dimension
    /// may no longer be the hidden size.
    public static ModelConfig studentConfig(ModelConfig teacher, Cut cut) {
        return teacher.withSizes(
                cut.channels().length,
                cut.neurons().getFirst().length,
                cut.heads().getFirst().length,
                teacher.numHiddenLayers());
    }

    /// Writes `config.json` and the weights of the student to `directory`, in the teacher's type.
    public static ModelConfig prune(
            Path teacherDirectory,
            ModelConfig teacher,
            Cut cut,
            Path directory,
            Progress progress) {
        ModelConfig student = studentConfig(teacher, cut);
        Pruner pruner = new Pruner(teacher, cut);
        try (Checkpoint source = Checkpoint.open(teacherDirectory)) {
            source.check(teacher);
            List<TensorSpec> tensors = student.tensors();
            DType type = source.tensor(tensors.getFirst().name()).dtype();
            try (SafetensorsWriter writer = SafetensorsWriter.ofModel(directory, tensors, type)) {
                int done = 0;
                for (TensorSpec tensor : tensors) {
                    TensorView view = source.tensor(tensor.name());
                    view.checkUsable();
                    writer.write(tensor.name(), pruner.slice(view));
                    progress.update("prune", ++done, tensors.size(), tensor.name());
                }
                writer.finish();
            }
        }
        student.write(directory.resolve("config.json"));
        return student;
    }

    private float[] slice(TensorView view) {
        Optional<int[]> rows = rows(view.name());
        Optional<int[]> columns = columns(view.name());
        return slice(view.toFloats(), view.shape(), rows, columns);
    }

    /// Rows (or elements of a vector) and columns of a row-major matrix.
    static float[] slice(
            float[] values, long[] shape, Optional<int[]> rows, Optional<int[]> columns) {
        int width = shape.length == 1 ? 1 : Math.toIntExact(shape[1]);
        int[] keptRows =
                rows.orElseGet(() -> IntStream.range(0, Math.toIntExact(shape[0])).toArray());
        int[] keptColumns = columns.orElseGet(() -> IntStream.range(0, width).toArray());
        float[] kept = new float[keptRows.length * keptColumns.length];
        int at = 0;
        for (int row : keptRows) {
            for (int column : keptColumns) {
                kept[at++] = values[row * width + column];
            }
        }
        return kept;
    }

    /// What is kept of a tensor's rows; empty for all.
    private Optional<int[]> rows(String name) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return switch (name) {
                case "model.norm.weight" -> Optional.of(cut.channels());
                case "model.embed_tokens.weight", "lm_head.weight" -> Optional.empty();
                default -> throw unknown(name);
            };
        }
        int i = Integer.parseInt(layer.group(1));
        return switch (layer.group(2)) {
            case "input_layernorm.weight",
                    "post_attention_layernorm.weight",
                    "self_attn.o_proj.weight",
                    "self_attn.o_proj.bias",
                    "mlp.down_proj.weight" ->
                    Optional.of(cut.channels());
            case "self_attn.q_proj.weight", "self_attn.q_proj.bias" -> Optional.of(headElements(i));
            case "self_attn.k_proj.weight",
                    "self_attn.k_proj.bias",
                    "self_attn.v_proj.weight",
                    "self_attn.v_proj.bias" ->
                    Optional.empty();
            case "mlp.gate_proj.weight", "mlp.up_proj.weight" -> Optional.of(cut.neurons().get(i));
            default -> throw unknown(name);
        };
    }

    /// What is kept of a matrix's columns; empty for all (and for vectors).
    private Optional<int[]> columns(String name) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return name.equals("model.norm.weight")
                    ? Optional.empty()
                    : Optional.of(cut.channels());
        }
        int i = Integer.parseInt(layer.group(1));
        return switch (layer.group(2)) {
            case "self_attn.q_proj.weight",
                    "self_attn.k_proj.weight",
                    "self_attn.v_proj.weight",
                    "mlp.gate_proj.weight",
                    "mlp.up_proj.weight" ->
                    Optional.of(cut.channels());
            case "self_attn.o_proj.weight" -> Optional.of(headElements(i));
            case "mlp.down_proj.weight" -> Optional.of(cut.neurons().get(i));
            default -> Optional.empty();
        };
    }

    private int[] headElements(int layer) {
        int e = teacher.headDim();
        return IntStream.of(cut.heads().get(layer))
                .flatMap(h -> IntStream.range(h * e, (h + 1) * e))
                .toArray();
    }

    private static PenjingException unknown(String name) {
        return new PenjingException(
                "do not know how to prune the tensor " + name + ": see CONTRIBUTING.md");
    }
}
