package dev.penjing.model.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.quantization.Bfloat16;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SafetensorsTest {
    @TempDir Path folder;

    private Path file(long headerLength, String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes =
                ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(headerLength < 0 ? text.length : headerLength).put(text);
        Path file = folder.resolve("model.safetensors");
        Files.write(file, bytes.array());
        return file;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 4 | outside of the 4 bytes",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 8 | takes 8 bytes, not 4",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[2,6]}} | 6 | overlap",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | gap",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 8 | 4 bytes of data belong to no tensor",
                "{'a':{'dtype':'F99','shape':[1],'data_offsets':[0,4]}} | 4 | unknown type",
                "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 4 | impossible shape",
                "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,4]}} | 4 | impossible shape",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}} | 4 | outside",
                "{'a':{'dtype':'F32'}} | 4 | no shape",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 4 | not JSON",
                "[1] | 0 | not a JSON object",
                "{'a | 0 | not JSON",
            })
    void damagedFilesAreRefused(String header, int dataBytes, String message) throws IOException {
        Path file = file(-1, header.replace('\'', '"'), dataBytes);
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(file.toString())
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @CsvSource({"1000", "9223372036854775807", "100000001", "0"})
    void headersThatCannotBeAreRefused(long length) throws IOException {
        Path file = file(length, "{}", 0);
        assertThatThrownBy(() -> SafetensorsFile.open(file)).hasMessageContaining("header claims");
    }

    @Test
    void aFileCutAnywhereIsRefused() throws IOException {
        SafetensorsWriter.writeFile(
                folder.resolve("whole"), Map.of("a", new float[] {1, 2, 3}), Map.of());
        byte[] whole = Files.readAllBytes(folder.resolve("whole"));
        for (int length = 0; length < whole.length; length++) {
            Path cut = folder.resolve("cut");
            Files.write(cut, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SafetensorsFile.open(cut))
                    .isInstanceOf(PenjingException.class);
        }
    }

    /// Two shards: neither is in place before both are written, and the index comes last.
    @Test
    void shardsComeIntoPlaceTogetherOrNotAtAll() throws IOException {
        List<TensorHeader> specs = List.of(new TensorHeader("a", 10), new TensorHeader("b", 10));
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder, specs, DType.F32, 40, Map.of())) {
            writer.write("a", new float[10]);
            assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
        }
        assertThat(folder).isEmptyDirectory();
        Path second = folder.resolve("model-00002-of-00002.safetensors");
        Files.createDirectories(second.resolve("in the way"));
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder, specs, DType.F32, 40, Map.of())) {
            writer.write("a", new float[10]);
            writer.write("b", new float[10]);
            assertThat(folder.resolve("model-00001-of-00002.safetensors")).doesNotExist();
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining(second.toString());
        }
        assertThat(folder.resolve("model.safetensors.index.json")).doesNotExist();
        assertThat(folder).isDirectoryNotContaining("glob:**.partial");
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16", "BF16"})
    void whatIsWrittenIsRead(DType type) {
        List<TensorHeader> specs =
                List.of(
                        new TensorHeader("a", 7, 3),
                        new TensorHeader("b", 5),
                        new TensorHeader("c", 100_000, 4));
        Random random = new Random(1);
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder, specs, type, 200, Map.of("format", "pt"))) {
            for (TensorHeader spec : specs) {
                float[] values = new float[(int) spec.size()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = random.nextInt(-128, 128) / 64f; // exact in every type
                }
                writer.write(spec.name(), values);
            }
            writer.finish();
        }
        assertThat(folder.resolve("model-00002-of-00002.safetensors")).exists();
        random = new Random(1);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (TensorHeader spec : specs) {
                TensorView view = checkpoint.tensor(spec.name());
                assertThat(view.shape()).isEqualTo(spec.shape());
                assertThat(view.dtype()).isEqualTo(type);
                for (float value : view.toFloats()) {
                    assertThat(value).isEqualTo(random.nextInt(-128, 128) / 64f);
                }
            }
        }
    }

    @Test
    void roundingToBfloat16IsToNearestEven() {
        Random random = new Random(2);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            if (Float.isNaN(value)) {
                continue;
            }
            short bits = Bfloat16.bits(value);
            double rounded = Float.intBitsToFloat(bits << 16);
            double error = Math.abs(rounded - value);
            double up = Math.abs((double) Float.intBitsToFloat(bits + 1 << 16) - value);
            double down = Math.abs((double) Float.intBitsToFloat(bits - 1 << 16) - value);
            if (Double.isFinite(rounded) && (bits & 0x7fff) > 0) {
                assertThat(error).isLessThanOrEqualTo(up).isLessThanOrEqualTo(down);
                if (error == up || error == down) {
                    assertThat(bits & 1).isZero();
                }
            }
        }
    }

    @Test
    void nothingIsLeftOfAWriteThatFails() throws IOException {
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        folder, List.of(new TensorHeader("a", 2)), DType.F32, 100, Map.of())) {
            assertThatThrownBy(() -> writer.write("b", new float[2]))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(folder).isEmptyDirectory();
    }

    private static final ModelConfig CONFIG = config("false");

    private static ModelConfig config(String tied) {
        return ModelConfig.parse(
                """
                {"model_type": "llama", "vocab_size": 4, "hidden_size": 2,
                 "intermediate_size": 3, "num_hidden_layers": 1, "num_attention_heads": 1,
                 "max_position_embeddings": 8, "tie_word_embeddings": %s}
                """
                        .formatted(tied),
                "test");
    }

    private void write(List<TensorHeader> specs) {
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder, specs, DType.F32, 40, Map.of())) {
            for (TensorHeader spec : specs) {
                float[] values = new float[(int) spec.size()];
                Arrays.fill(values, 1);
                writer.write(spec.name(), values);
            }
            writer.finish();
        }
    }

    @Test
    void whatAModelLacksOrHasTooMuchIsNamed() throws IOException {
        write(TensorHeader.of(CONFIG.tensors()));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            checkpoint.check(CONFIG);
            assertThatThrownBy(() ->
                            checkpoint.check(CONFIG.resized(CONFIG.shape().with(Axis.LAYER, 2))))
                    .hasMessageContaining("lacks model.layers.1.input_layernorm.weight");
            assertThatThrownBy(() ->
                            checkpoint.check(CONFIG.resized(CONFIG.shape().with(Axis.NEURON, 4))))
                    .hasMessageContaining("mlp.gate_proj.weight")
                    .hasMessageContaining("[3, 2]")
                    .hasMessageContaining("[4, 2]");
        }
        String shard =
                Arrays.stream(folder.toFile().list())
                        .filter(name -> name.startsWith("model-00003"))
                        .findFirst()
                        .orElseThrow();
        Files.delete(folder.resolve(shard));
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .hasMessageContaining(shard + " is missing");
    }

    @Test
    void aShardOutsideOfTheFolderIsRefused() throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"../../secret.safetensors\"}}");
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .hasMessageContaining("no plain file name");
    }

    /// The file is whole; its weights are in a type that nothing is computed from.
    @ParameterizedTest
    @CsvSource({"F8_E4M3, 1", "F8_E5M2, 1", "U32, 4", "I8, 1"})
    void typesThatNothingIsComputedFromAreNamed(String type, int bytes) throws IOException {
        String header =
                "{'w':{'dtype':'%s','shape':[2],'data_offsets':[0,%d]}}"
                        .formatted(type, 2 * bytes)
                        .replace('\'', '"');
        Path path = file(-1, header, 2 * bytes);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThatThrownBy(() -> file.tensor("w").toFloats())
                    .hasMessage(
                            "the tensor w is stored as %s: weights must be F32, F16 or BF16"
                                    .formatted(type));
        }
    }

    @ParameterizedTest
    @CsvSource({"NaN, not finite", "Infinity, not finite", "0, all zero"})
    void unusableWeightsAreNamed(float value, String message) {
        Path file = folder.resolve("f");
        try (SafetensorsWriter writer =
                new SafetensorsWriter(
                        folder, List.of(new TensorHeader("w", 2, 2)), DType.BF16, 1000, Map.of())) {
            writer.write("w", new float[] {0, 0, value, 0});
            writer.finish();
        }
        assertThat(file).doesNotExist();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            TensorView view = checkpoint.tensor("w");
            assertThatThrownBy(() -> view.checkUsable(false))
                    .hasMessageContaining("the tensor w")
                    .hasMessageContaining(message);
            if (value == 0) {
                view.checkUsable(true);
            }
        }
    }

    /// A block that was added to a model and changes nothing yet is no damage.
    @Test
    void whatWritesToTheResidualStreamMayBeZero() {
        List<TensorSpec> specs = CONFIG.tensors();
        try (SafetensorsWriter writer = SafetensorsWriter.ofModel(folder, specs, DType.F32)) {
            for (TensorSpec spec : specs) {
                writer.write(spec.name(), new float[(int) spec.size()]);
            }
            writer.finish();
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (TensorSpec spec : specs) {
                boolean usable =
                        switch (spec.role()) {
                            case OUTPUT, DOWN -> true;
                            // a vector may be zero, a matrix says that nothing was loaded
                            default -> spec.shape().length == 1;
                        };
                if (usable) {
                    assertThat(checkpoint.usable(spec).size()).isEqualTo(spec.size());
                } else {
                    assertThatThrownBy(() -> checkpoint.usable(spec))
                            .hasMessageContaining(spec.name() + " is all zero");
                }
            }
        }
    }

    /// A head beside tied embeddings is passed over only if it says the same.
    @ParameterizedTest
    @CsvSource({"0, true", "0.5, false"})
    void aTiedHeadMayNotDiffer(float difference, boolean fits) {
        ModelConfig tied = config("true");
        TensorSpec head = CONFIG.tensors().of(Role.HEAD);
        List<TensorHeader> all = new ArrayList<>(TensorHeader.of(tied.tensors()));
        all.add(new TensorHeader(head.name(), head.shape()));
        try (SafetensorsWriter writer =
                new SafetensorsWriter(folder, all, DType.F32, Long.MAX_VALUE, Map.of())) {
            for (TensorHeader tensor : all) {
                float[] values = new float[(int) tensor.size()];
                Arrays.fill(values, tensor.name().equals(head.name()) ? 1 + difference : 1);
                writer.write(tensor.name(), values);
            }
            writer.finish();
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            if (fits) {
                checkpoint.check(tied);
            } else {
                assertThatThrownBy(() -> checkpoint.check(tied))
                        .hasMessageContaining(head.name() + " that differs from the embedding");
            }
        }
    }

    /// Whatever lay in the folder, what is read is what was written last.
    @ParameterizedTest
    @CsvSource({"40, 1000", "1000, 40", "40, 20"})
    void weightsOfAnEarlierModelAreRemoved(long before, long after) throws IOException {
        List<TensorHeader> specs =
                List.of(
                        new TensorHeader("a", 5),
                        new TensorHeader("b", 5),
                        new TensorHeader("c", 5));
        for (long shard : new long[] {before, after}) {
            try (SafetensorsWriter writer =
                    new SafetensorsWriter(folder, specs, DType.F32, shard, Map.of())) {
                for (TensorHeader spec : specs) {
                    float[] values = new float[5];
                    Arrays.fill(values, shard);
                    writer.write(spec.name(), values);
                }
                writer.finish();
            }
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (String name : checkpoint.names()) {
                assertThat(checkpoint.tensor(name).toFloats()).containsOnly(after);
            }
        }
        int shards = after == 1000 ? 1 : after == 40 ? 2 : 3;
        assertThat(folder.toFile().list()).hasSize(shards > 1 ? shards + 1 : 1);
    }
}
