package dev.penjing.bench;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorHeader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Makes a small model large without changing what it says: it then costs what a model of that size
/// costs. For measurements that need a large model with a good draft where only small ones are at
/// hand.
///
/// New channels, neurons and heads have weights of zero. A new layer computes with random weights,
/// but what it adds to the hidden state is zero: its output matrices have zeros where their input
/// is not zero. RMSNorm divides by the mean over all channels, so its weights and epsilon are
/// smaller by the share of the old ones.
///
/// Usage: `bench/run padded MODEL OUT HIDDEN INTERMEDIATE HEADS LAYERS`
final class PaddedModel {
    private static final long SHARD = 4L << 30;

    private final ModelConfig from;
    private final ModelConfig to;
    private final Checkpoint checkpoint;
    private final Random random = new Random(1);

    private PaddedModel(ModelConfig from, ModelConfig to, Checkpoint checkpoint) {
        this.from = from;
        this.to = to;
        this.checkpoint = checkpoint;
    }

    public static void main(String[] args) throws IOException {
        if (args.length != 6) {
            usage();
        }
        Path model = Path.of(args[0]);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            ModelConfig from = ModelConfig.read(model.resolve("config.json"));
            checkpoint.check(from);
            int[] sizes = Arrays.stream(args, 2, 6).mapToInt(Integer::parseInt).toArray();
            ModelConfig to = padded(from, sizes[0], sizes[1], sizes[2], sizes[3]);
            new PaddedModel(from, to, checkpoint).write(model, Path.of(args[1]));
            System.out.printf("%,d parameters from %,d%n", to.parameters(), from.parameters());
        } catch (PenjingException e) {
            System.err.println("penjing: " + e.getMessage());
            System.exit(1);
        } catch (NumberFormatException e) {
            usage();
        }
    }

    private static void usage() {
        System.err.println("usage: bench/run padded MODEL OUT HIDDEN INTERMEDIATE HEADS LAYERS");
        System.exit(2);
    }

    private static ModelConfig padded(
            ModelConfig from, int hidden, int intermediate, int heads, int layers) {
        int share = from.numAttentionHeads() / from.numKeyValueHeads();
        if (hidden < from.hiddenSize()
                || intermediate < from.intermediateSize()
                || heads < from.numAttentionHeads()
                || heads % share != 0
                || layers < from.numHiddenLayers()) {
            throw new PenjingException(
                    "every size must be at least the model's own, heads a multiple of " + share);
        }
        if (!from.biases().isEmpty()) {
            throw new PenjingException("models with attention biases are not padded here");
        }
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(from.toJson());
        json.put("hidden_size", hidden);
        json.put("intermediate_size", intermediate);
        json.put("num_attention_heads", heads);
        json.put("num_key_value_heads", heads / share);
        json.put("num_hidden_layers", layers);
        json.put("rms_norm_eps", from.norm().epsilon() * from.hiddenSize() / hidden);
        return ModelConfig.parse(json.toString(), "the padded model's configuration");
    }

    private void write(Path model, Path out) throws IOException {
        Files.createDirectories(out);
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        out, TensorHeader.of(to.tensors()), DType.BF16, SHARD, Map.of())) {
            for (TensorSpec tensor : to.tensors()) {
                writer.write(tensor.name(), values(tensor));
            }
            writer.finish();
        }
        to.write(out.resolve("config.json"));
        ModelFiles.copyCompanions(model, out);
    }

    private float[] values(TensorSpec tensor) {
        String name = tensor.name();
        int rows = Math.toIntExact(tensor.shape()[0]);
        int columns = tensor.shape().length == 1 ? 1 : Math.toIntExact(tensor.shape()[1]);
        if (!checkpoint.names().contains(name)) {
            return added(tensor.role(), rows, columns);
        }
        float[] old = checkpoint.tensor(name).toFloats();
        float[] values = new float[Math.multiplyExact(rows, columns)];
        if (columns == 1) {
            float share = (float) Math.sqrt((double) from.hiddenSize() / to.hiddenSize());
            for (int i = 0; i < old.length; i++) {
                values[i] = old[i] * share;
            }
            return values;
        }
        long[] shape = checkpoint.tensor(name).shape();
        int oldColumns = (int) shape[1];
        for (int row = 0; row < shape[0]; row++) {
            System.arraycopy(old, row * oldColumns, values, row * columns, oldColumns);
        }
        return values;
    }

    /// Of a new layer. Values and gates are zero but for the first head and the first neurons,
    /// whose columns are zero in the matrices behind them.
    private float[] added(Role role, int rows, int columns) {
        float[] values = new float[Math.multiplyExact(rows, columns)];
        int share = to.numAttentionHeads() / to.numKeyValueHeads();
        int head = to.headDim();
        switch (role) {
            case VALUE, GATE -> fill(values, head, 0, columns, columns);
            case OUTPUT -> fill(values, rows, share * head, columns, columns);
            case DOWN -> fill(values, rows, head, columns, columns);
            default -> fill(values, rows, 0, columns, columns);
        }
        return values;
    }

    private void fill(float[] values, int rows, int from, int to, int stride) {
        for (int row = 0; row < rows; row++) {
            for (int column = from; column < to; column++) {
                values[row * stride + column] = (random.nextFloat() - 0.5f) * 0.1f;
            }
        }
    }
}
