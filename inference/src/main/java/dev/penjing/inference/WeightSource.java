package dev.penjing.inference;

import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Quantization;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.gguf.BlockType;
import dev.penjing.model.gguf.GgufFile;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.gguf.HeadRows;
import dev.penjing.model.gguf.Quantizer;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.TensorView;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.tokenizer.SpecialTokens;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A model file or folder, row by row. Tensors go by their names in Hugging Face form, and rows are
/// in its order. Reading is thread-safe.
abstract sealed class WeightSource implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// @throws PenjingException if there is no model, or a damaged or unknown one
    static WeightSource open(Path path) {
        if (Files.isDirectory(path)) {
            return new Folder(path);
        }
        if (Files.isRegularFile(path)) {
            return new Gguf(path);
        }
        throw new PenjingException(
                "there is no model at "
                        + path
                        + ": give a .gguf file, or a folder with config.json and *.safetensors");
    }

    abstract ModelConfig config();

    abstract Tokenizer tokenizer();

    /// What a tensor can be computed in with the least loss.
    abstract Quantization natural(String name);

    abstract String describe();

    /// Ids that end an answer, as far as the model's files say.
    abstract Set<Integer> ends();

    abstract Optional<ChatTemplate> chatTemplate();

    /// How a special token is written: `bos`, `eos`, `pad` or `unk`; empty if there is none.
    abstract String special(String name);

    /// Whether the model's texts begin with its `bos` token.
    abstract boolean beginsTexts();

    /// A vector as float32.
    abstract float[] vector(String name);

    /// A matrix of the source.
    interface Rows {
        /// Copies a row, quantised where it is not already.
        void copy(int row, PackedMatrix to, int toRow);
    }

    abstract Rows rows(String name);

    @Override
    public abstract void close();

    static void quantize(float[] row, PackedMatrix to, int toRow) {
        byte[] quants = new byte[Quantizer.BLOCK];
        for (int at = 0; at < row.length; at += Quantizer.BLOCK) {
            short scale =
                    to.quantization() == Quantization.Q4_0
                            ? Quantizer.q4(row, at, quants)
                            : Quantizer.q8(row, at, quants);
            to.set(toRow, at / Quantizer.BLOCK, quants, 0, scale);
        }
    }

    private static float[] paddedRow(float[] values) {
        return Arrays.copyOf(values, PackedMatrix.padded(values.length));
    }

    /// A folder in Hugging Face form.
    private static final class Folder extends WeightSource {
        private final Path directory;
        private final ModelConfig config;
        private final Checkpoint checkpoint;

        Folder(Path directory) {
            this.directory = directory;
            this.config = ModelConfig.read(directory.resolve("config.json"));
            this.checkpoint = Checkpoint.open(directory);
            try {
                checkpoint.check(config);
                config.tensors().forEach(t -> checkpoint.tensor(t.name()).checkUsable());
            } catch (PenjingException e) {
                checkpoint.close();
                throw e;
            }
        }

        @Override
        ModelConfig config() {
            return config;
        }

        @Override
        Tokenizer tokenizer() {
            return Tokenizers.load(directory);
        }

        @Override
        Quantization natural(String name) {
            return Quantization.Q8_0;
        }

        @Override
        String describe() {
            DType type = checkpoint.tensor("model.embed_tokens.weight").dtype();
            return type.name();
        }

        @Override
        Set<Integer> ends() {
            Set<Integer> ends = new HashSet<>();
            for (String name : List.of("generation_config.json", "config.json")) {
                JsonNode ids = json(name).path("eos_token_id");
                if (ids.isIntegralNumber()) {
                    ends.add(ids.asInt());
                }
                ids.forEach(id -> ends.add(id.asInt(-1)));
            }
            return ends;
        }

        @Override
        Optional<ChatTemplate> chatTemplate() {
            return ChatTemplate.of(directory);
        }

        @Override
        String special(String name) {
            return SpecialTokens.of(directory).text(name);
        }

        @Override
        boolean beginsTexts() {
            return SpecialTokens.of(directory).beginsTexts();
        }

        private JsonNode json(String name) {
            Path file = directory.resolve(name);
            try {
                return Files.isRegularFile(file)
                        ? JSON.readTree(Files.readString(file))
                        : JSON.createObjectNode();
            } catch (IOException | JacksonException e) {
                throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }

        @Override
        float[] vector(String name) {
            return checkpoint.tensor(name).toFloats();
        }

        @Override
        Rows rows(String name) {
            TensorView view = checkpoint.tensor(name);
            long[] shape = {view.shape()[1]};
            long bytes = shape[0] * view.dtype().bytes();
            return (row, to, toRow) -> {
                MemorySegment data = view.data().asSlice(row * bytes, bytes);
                float[] values = new TensorView(name, view.dtype(), shape, data).toFloats();
                quantize(paddedRow(values), to, toRow);
            };
        }

        @Override
        public void close() {
            checkpoint.close();
        }
    }

    /// A GGUF file.
    private static final class Gguf extends WeightSource {
        private final GgufFile file;
        private final ModelConfig config;
        private final Map<String, String> ggufNames;

        Gguf(Path path) {
            file = GgufFile.open(path);
            try {
                config = GgufImport.config(file, DType.F32);
                ggufNames =
                        config.tensors().stream()
                                .collect(
                                        Collectors.toMap(TensorSpec::name, TensorSpec::ggufName));
                config.tensors().forEach(this::check);
            } catch (PenjingException e) {
                file.close();
                throw e;
            }
        }

        private void check(TensorSpec spec) {
            long[] shape = tensor(spec.name()).shape();
            if (!Arrays.equals(shape, spec.shape())) {
                throw new PenjingException(
                        "%s in the GGUF file has the shape %s, not %s: it is damaged, fetch it again"
                                .formatted(
                                        spec.name(),
                                        Arrays.toString(shape),
                                        Arrays.toString(spec.shape())));
            }
        }

        private GgufFile.Tensor tensor(String name) {
            return file.tensor(ggufNames.getOrDefault(name, name));
        }

        @Override
        ModelConfig config() {
            return config;
        }

        @Override
        Tokenizer tokenizer() {
            return Tokenizers.fromGguf(file.metadata());
        }

        @Override
        Quantization natural(String name) {
            return tensor(name).type() == BlockType.Q4_0 ? Quantization.Q4_0 : Quantization.Q8_0;
        }

        private BlockType type() {
            return tensor("model.layers.0.mlp.up_proj.weight").type();
        }

        @Override
        String describe() {
            return type().name();
        }

        @Override
        Set<Integer> ends() {
            Set<Integer> ends = new HashSet<>();
            for (String name : List.of("eos", "eot", "eom")) {
                file.number("tokenizer.ggml." + name + "_token_id")
                        .ifPresent(id -> ends.add(id.intValue()));
            }
            return ends;
        }

        @Override
        Optional<ChatTemplate> chatTemplate() {
            return file.text("tokenizer.chat_template").map(ChatTemplate::parse);
        }

        @Override
        String special(String name) {
            String key = Map.of("pad", "padding", "unk", "unknown").getOrDefault(name, name);
            String[] tokens =
                    file.metadata().get("tokenizer.ggml.tokens") instanceof String[] all
                            ? all
                            : new String[0];
            return file.number("tokenizer.ggml." + key + "_token_id")
                    .filter(id -> id >= 0 && id < tokens.length)
                    .map(id -> tokens[id.intValue()])
                    .orElse("");
        }

        /// Without a word on it, tokenizers in SentencePiece's manner do, those of bytes do not, as
        /// llama.cpp takes it.
        @Override
        boolean beginsTexts() {
            return file.metadata().get("tokenizer.ggml.add_bos_token") instanceof Boolean said
                    ? said
                    : file.text("tokenizer.ggml.model").orElse("").equals("llama");
        }

        @Override
        float[] vector(String name) {
            float[] values = tensor(name).toFloats();
            requireFinite(name, values);
            int headDim = config.headDim();
            if (!interleaved(name)) {
                return values;
            }
            float[] result = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                result[i] = values[HeadRows.inGguf(i, headDim)];
            }
            return result;
        }

        private boolean interleaved(String name) {
            return config.family().gguf().interleaved()
                    && config.tensors().stream()
                            .anyMatch(t -> t.name().equals(name) && t.rotated());
        }

        private static void requireFinite(String name, float[] values) {
            for (float value : values) {
                if (!Float.isFinite(value)) {
                    throw notFinite(name);
                }
            }
        }

        private static PenjingException notFinite(String name) {
            return new PenjingException(
                    name
                            + " holds a value that is not finite: the file is damaged, fetch it again");
        }

        @Override
        Rows rows(String name) {
            boolean rotated = interleaved(name);
            GgufFile.Tensor tensor = tensor(name);
            MemorySegment data = tensor.data();
            BlockType type = tensor.type();
            long columns = tensor.shape()[1];
            long bytes = columns / type.weights() * type.bytes();
            return (row, to, toRow) -> {
                int from = rotated ? HeadRows.inGguf(row, config.headDim()) : row;
                if (same(type, to.quantization())) {
                    int blocks = Math.toIntExact(columns / PackedMatrix.UNIT);
                    if (!to.setGguf(toRow, data, from * bytes, blocks)) {
                        throw notFinite(name);
                    }
                } else {
                    float[] values = tensor.floats(from * bytes, bytes);
                    requireFinite(name, values);
                    quantize(paddedRow(values), to, toRow);
                }
            };
        }

        private static boolean same(BlockType type, Quantization quantization) {
            return switch (quantization) {
                case Q4_0 -> type == BlockType.Q4_0;
                case Q8_0 -> type == BlockType.Q8_0;
            };
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
