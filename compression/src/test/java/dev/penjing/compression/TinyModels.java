package dev.penjing.compression;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.safetensors.TensorHeader;
import dev.penjing.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Models of a few thousand weights, the same everywhere: each weight is a hash of its tensor's
/// name and its index, so that a reference implementation can make them too.
public final class TinyModels {
    private TinyModels() {}

    /// A Llama of 48 channels, 80 neurons, 6 heads of 16 in 2 groups, 3 layers, 64 tokens.
    public static ModelConfig llama(String more) {
        return ModelConfig.parse(
                """
                {"model_type": "llama", "vocab_size": 64, "hidden_size": 48,
                 "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6,
                 "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 128,
                 "rms_norm_eps": 1e-5, "tie_word_embeddings": false %s}
                """
                        .formatted(more),
                "test");
    }

    /// A student of it: 32 channels, 48 neurons, 4 heads.
    public static ModelConfig student(ModelConfig teacher) {
        return teacher.resized(
                teacher.shape()
                        .with(Axis.HIDDEN, 32)
                        .with(Axis.NEURON, 48)
                        .with(Axis.QUERY_HEAD, 4));
    }

    /// The weights of one tensor.
    public static float[] weights(TensorSpec spec) {
        float[] stored = weights(spec.stored(), spec.storedShape());
        int from = spec.part().map(p -> Math.toIntExact(p.from() * spec.shape()[1])).orElse(0);
        return Arrays.copyOfRange(stored, from, from + Math.toIntExact(spec.size()));
    }

    private static float[] weights(String name, long... shape) {
        long nameHash = 0;
        for (char c : name.toCharArray()) {
            nameHash = (nameHash * 31 + c) & 0xffffffffL;
        }
        float[] values = new float[Math.toIntExact(new TensorHeader(name, shape).size())];
        for (int i = 0; i < values.length; i++) {
            long u = (i * 2654435761L + nameHash * 40503) & 0xffffffffL;
            u ^= u >>> 15;
            u = u * 2246822519L & 0xffffffffL;
            u ^= u >>> 13;
            float v = (u >>> 8) / 16777216f - 0.5f;
            values[i] = shape.length == 1 ? 1 + v * 0.5f : v * 0.4f;
        }
        return values;
    }

    /// Writes a checkpoint, its weights changed by `change`.
    public static void write(
            ModelConfig config, Path directory, BiFunction<TensorSpec, float[], float[]> change) {
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        directory,
                        TensorHeader.of(config.tensors()),
                        DType.F32,
                        1L << 30,
                        Map.of())) {
            for (TensorSpec spec : config.tensors()) {
                writer.write(spec, change.apply(spec, weights(spec)));
            }
            writer.finish();
        }
        config.write(directory.resolve("config.json"));
    }

    public static FlatParameters parameters(ModelConfig config, Compute compute) {
        FlatParameters parameters = FlatParameters.zeros(config, compute, ScalarType.Float);
        for (Slot slot : parameters.layout().slots()) {
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = new AutoGradMode(false)) {
                float[] values = weights(slot.spec());
                parameters.view(slot.spec()).copy_(tensor(values, slot.shape()));
            }
        }
        return parameters;
    }

    public static Tensor tensor(float[] values, long... shape) {
        Tensor tensor = Tensors.empty(new TensorOptions(ScalarType.Float), shape);
        try (FloatPointer data = tensor.data_ptr_float()) {
            data.put(values, 0, values.length);
        }
        return tensor;
    }

    public static int[] ids(int count) {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = (i * 7 + 3) % 64;
        }
        return ids;
    }

    /// A file of random ids of these models: sums of many different inputs.
    ///
    /// @return `tokens.bin` in the folder
    public static Path tokens(Path folder, int count, long seed) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(Integer.BYTES * count).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(seed);
        while (bytes.hasRemaining()) {
            bytes.putInt(random.nextInt(64));
        }
        return Files.write(folder.resolve("tokens.bin"), bytes.array());
    }

    /// Logits of a checkpoint, position after position.
    public static float[] logits(Path directory, int[] ids) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        Compute compute = Compute.float32();
        try (FlatParameters parameters =
                        FlatParameters.load(directory, config, compute, ScalarType.Float);
                Decoder decoder = new Decoder(config, parameters, compute)) {
            return logits(decoder, ids);
        }
    }

    public static float[] logits(Decoder decoder, int[] ids) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor embedded = decoder.embed(Tensors.ids(ids, 1, ids.length));
            return Tensors.floats(decoder.logits(decoder.hidden(embedded)));
        }
    }

    /// The largest difference between two lists of equal length.
    public static double difference(float[] a, float[] b) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(a.length + " and " + b.length);
        }
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }
        return largest;
    }

    /// A tokenizer of 64 tokens, a character each.
    public record Bytes() implements Tokenizer {
        @Override
        public int[] encode(String text) {
            return text.chars().map(c -> c & 63).toArray();
        }

        @Override
        public String decode(int[] ids, boolean skipSpecial) {
            return Arrays.toString(ids);
        }

        @Override
        public byte[] bytes(int id) {
            return new byte[] {(byte) id};
        }

        @Override
        public int vocabularySize() {
            return 64;
        }

        @Override
        public OptionalInt id(String token) {
            return OptionalInt.empty();
        }

        @Override
        public boolean isSpecial(int id) {
            return false;
        }
    }
}
