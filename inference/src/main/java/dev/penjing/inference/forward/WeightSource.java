package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
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
import java.util.function.BooleanSupplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A model file or folder, row by row. Rows are in the order of Hugging Face's form. Reading is
/// thread-safe.
public abstract sealed class WeightSource implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// @param cancelled is asked again and again; once it is true, opening ends
    /// @throws PenjingException if there is no model, or a damaged or unknown one, or it was
    ///   cancelled
    public static WeightSource open(Path path, BooleanSupplier cancelled) {
        if (Files.isDirectory(path)) {
            return new Folder(path, cancelled);
        }
        if (Files.isRegularFile(path)) {
            return new Gguf(path);
        }
        throw new PenjingException(
                "there is no model at "
                        + path
                        + ": give a .gguf file, or a folder with config.json and *.safetensors");
    }

    public abstract ModelConfig config();

    public abstract Tokenizer tokenizer();

    /// What a tensor can be computed in with the least loss.
    abstract WeightFormat natural(TensorSpec spec);

    public abstract String describe();

    /// Ids that end an answer, as far as the model's files say.
    public abstract Set<Integer> ends();

    public abstract Optional<ChatTemplate> chatTemplate();

    /// How a special token is written: `bos`, `eos`, `pad` or `unk`; empty if there is none.
    public abstract String special(String name);

    /// Whether the model's texts begin with its `bos` token.
    public abstract boolean beginsTexts();

    /// A vector as float32.
    abstract float[] vector(TensorSpec spec);

    /// A matrix of the source.
    interface Rows {
        /// Copies a row, quantised where it is not already.
        void copy(int row, PackedMatrix to, int toRow);
    }

    abstract Rows rows(TensorSpec spec);

    @Override
    public abstract void close();

    static void quantize(float[] row, PackedMatrix to, int toRow) {
        byte[] quants = new byte[Quantizer.BLOCK];
        for (int at = 0; at < row.length; at += Quantizer.BLOCK) {
            short scale = to.format().quantize(row, at, quants);
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

        Folder(Path directory, BooleanSupplier cancelled) {
            this.directory = directory;
            this.config = ModelConfig.read(directory.resolve("config.json"));
            try (Closer closer = new Closer()) {
                this.checkpoint = Checkpoint.open(directory);
                closer.own(checkpoint, Checkpoint::close);
                checkpoint.check(config);
                for (TensorSpec spec : config.tensors()) {
                    Loading.check(cancelled);
                    checkpoint.tensor(spec.name()).checkUsable();
                }
                closer.keep();
            }
        }

        @Override
        public ModelConfig config() {
            return config;
        }

        @Override
        public Tokenizer tokenizer() {
            return Tokenizers.load(directory);
        }

        @Override
        WeightFormat natural(TensorSpec spec) {
            return WeightFormat.finest();
        }

        @Override
        public String describe() {
            TensorSpec embedding = config.tensors().of(Role.EMBEDDING);
            return checkpoint.tensor(embedding.name()).dtype().name();
        }

        @Override
        public Set<Integer> ends() {
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
        public Optional<ChatTemplate> chatTemplate() {
            return ChatTemplate.of(directory);
        }

        @Override
        public String special(String name) {
            return SpecialTokens.of(directory).text(name);
        }

        @Override
        public boolean beginsTexts() {
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
        float[] vector(TensorSpec spec) {
            return checkpoint.tensor(spec.name()).toFloats();
        }

        @Override
        Rows rows(TensorSpec spec) {
            TensorView view = checkpoint.tensor(spec.name());
            long[] shape = {view.shape()[1]};
            long bytes = shape[0] * view.dtype().bytes();
            return (row, to, toRow) -> {
                MemorySegment data = view.data().asSlice(row * bytes, bytes);
                float[] values = new TensorView(spec.name(), view.dtype(), shape, data).toFloats();
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

        Gguf(Path path) {
            try (Closer closer = new Closer()) {
                file = GgufFile.open(path);
                closer.own(file, GgufFile::close);
                config = GgufImport.config(file, DType.F32);
                config.tensors().forEach(this::check);
                closer.keep();
            }
        }

        private void check(TensorSpec spec) {
            long[] shape = tensor(spec).shape();
            if (!Arrays.equals(shape, spec.shape())) {
                throw new PenjingException(
                        "%s in the GGUF file has the shape %s, not %s: it is damaged, fetch it again"
                                .formatted(
                                        spec.name(),
                                        Arrays.toString(shape),
                                        Arrays.toString(spec.shape())));
            }
        }

        private GgufFile.Tensor tensor(TensorSpec spec) {
            return file.tensor(spec.ggufName());
        }

        @Override
        public ModelConfig config() {
            return config;
        }

        @Override
        public Tokenizer tokenizer() {
            return Tokenizers.fromGguf(file.metadata());
        }

        @Override
        WeightFormat natural(TensorSpec spec) {
            return WeightFormat.nearest(tensor(spec).type());
        }

        private BlockType type() {
            return tensor(config.tensors().in(0, Role.UP)).type();
        }

        @Override
        public String describe() {
            return type().name();
        }

        @Override
        public Set<Integer> ends() {
            Set<Integer> ends = new HashSet<>();
            for (String name : List.of("eos", "eot", "eom")) {
                file.number("tokenizer.ggml." + name + "_token_id")
                        .ifPresent(id -> ends.add(id.intValue()));
            }
            return ends;
        }

        @Override
        public Optional<ChatTemplate> chatTemplate() {
            return file.text("tokenizer.chat_template").map(ChatTemplate::parse);
        }

        @Override
        public String special(String name) {
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
        public boolean beginsTexts() {
            return file.metadata().get("tokenizer.ggml.add_bos_token") instanceof Boolean said
                    ? said
                    : file.text("tokenizer.ggml.model").orElse("").equals("llama");
        }

        @Override
        float[] vector(TensorSpec spec) {
            float[] values = tensor(spec).toFloats();
            requireFinite(spec.name(), values);
            if (!interleaved(spec)) {
                return values;
            }
            float[] result = new float[values.length];
            for (int i = 0; i < values.length; i++) {
                result[i] = values[HeadRows.inGguf(i, config.headDim())];
            }
            return result;
        }

        private boolean interleaved(TensorSpec spec) {
            return spec.rotated() && config.family().gguf().interleaved();
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
        Rows rows(TensorSpec spec) {
            boolean interleaved = interleaved(spec);
            GgufFile.Tensor tensor = tensor(spec);
            MemorySegment data = tensor.data();
            BlockType type = tensor.type();
            long columns = tensor.shape()[1];
            long bytes = columns / type.weights() * type.bytes();
            return (row, to, toRow) -> {
                int from = interleaved ? HeadRows.inGguf(row, config.headDim()) : row;
                if (to.format().blockType() == type) {
                    int blocks = Math.toIntExact(columns / PackedMatrix.UNIT);
                    if (!to.setGguf(toRow, data, from * bytes, blocks)) {
                        throw notFinite(spec.name());
                    }
                } else {
                    float[] values = tensor.floats(from * bytes, bytes);
                    requireFinite(spec.name(), values);
                    quantize(paddedRow(values), to, toRow);
                }
            };
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
