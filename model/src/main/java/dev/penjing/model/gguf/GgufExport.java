package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.Rope;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.TensorView;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// A model in Hugging Face form as a GGUF file that llama.cpp, and the engine here, can run.
public final class GgufExport {
    private final Path directory;
    private final ModelConfig config;
    private final BlockType type;

    private GgufExport(Path directory, ModelConfig config, BlockType type) {
        this.directory = directory;
        this.config = config;
        this.type = type;
    }

    /// Vectors are written in float32; matrices in `type`, but for the embedding and the head of a
    /// Q4_0 file, which keep eight bits, as they decide most.
    ///
    /// @param type F32, F16, BF16, Q8_0 or Q4_0
    /// @throws PenjingException if the model has what GGUF cannot say, or rows that are not whole
    ///   blocks
    public static void run(Path directory, Path file, BlockType type, Progress progress) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        Tokenizers.requireFits(Tokenizers.load(directory), config, directory);
        new GgufExport(directory, config, type).run(file, progress);
    }

    private void run(Path file, Progress progress) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint.check(config);
            List<TensorSpec> specs = config.tensors();
            List<GgufWriter.Entry> entries = new ArrayList<>();
            for (TensorSpec spec : specs) {
                if (spec.first()) {
                    entries.add(
                            new GgufWriter.Entry(
                                    spec.ggufStored(), type(spec), spec.storedShape()));
                }
            }
            Rope rope = config.rope();
            Map<String, float[]> tables = RopeTable.tables(rope, config.headDim());
            if (tables.containsKey(RopeTable.NAME) && !config.family().gguf().ropeTable()) {
                throw new PenjingException(
                        "GGUF cannot say that a %s scales its positions as Llama 3 does: serve the folder itself"
                                .formatted(config.family()));
            }
            List<GgufWriter.Entry> first = new ArrayList<>();
            tables.forEach((name, table) -> {
                long[] shape = {table.length};
                first.add(new GgufWriter.Entry(name, BlockType.F32, shape));
            });
            entries.addAll(0, first);
            try (GgufWriter writer = new GgufWriter(file, metadata(), entries)) {
                for (float[] table : tables.values()) {
                    writer.write(encode(BlockType.F32, table));
                    writer.align();
                }
                long done = 0;
                for (TensorSpec spec : specs) {
                    TensorView view = checkpoint.usable(spec);
                    write(writer, spec, view);
                    done += spec.size();
                    progress.update("quantize", done, config.parameters(), spec.name());
                }
                writer.finish();
            }
        }
    }

    private BlockType type(TensorSpec spec) {
        if (!spec.matrix()) {
            return BlockType.F32;
        }
        if (spec.shape()[1] % type.weights() != 0) {
            throw new PenjingException(
                    "%s has rows of %d weights, which are not whole blocks of %d: prune to a multiple of %d, or write `type` f16"
                            .formatted(
                                    spec.name(), spec.shape()[1], type.weights(), type.weights()));
        }
        boolean ends = spec.role() == Role.EMBEDDING || spec.role() == Role.HEAD;
        return ends && type == BlockType.Q4_0 ? BlockType.Q8_0 : type;
    }

    private void write(GgufWriter writer, TensorSpec spec, TensorView view) {
        int rows = Math.toIntExact(spec.shape()[0]);
        long columns = spec.matrix() ? spec.shape()[1] : 1;
        boolean rotated = spec.rotated() && config.family().gguf().interleaved();
        BlockType to = type(spec);
        long rowBytes = columns * view.dtype().bytes();
        for (int row = 0; row < rows; row++) {
            int from = rotated ? HeadRows.inHuggingFace(row, config.headDim()) : row;
            MemorySegment data = view.data().asSlice(from * rowBytes, rowBytes);
            long[] shape = {columns};
            float[] values = new TensorView(spec.name(), view.dtype(), shape, data).toFloats();
            if (spec.role().gain()) {
                values[0] += config.norm().plus();
            }
            writer.write(encode(to, values));
        }
        if (spec.last()) {
            writer.align();
        }
    }

    static byte[] encode(BlockType type, float[] values) {
        ByteBuffer out =
                ByteBuffer.allocate(values.length / type.weights() * type.bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
        byte[] quants = new byte[Quantizer.BLOCK];
        for (int at = 0; at < values.length; at += type.weights()) {
            switch (type) {
                case F32 -> out.putFloat(values[at]);
                case F16 -> out.putShort(Float.floatToFloat16(values[at]));
                case BF16 -> out.putShort(bfloat16(values[at]));
                case Q8_0 -> {
                    out.putShort(Quantizer.q8(values, at, quants));
                    out.put(quants);
                }
                case Q4_0 -> {
                    out.putShort(Quantizer.q4(values, at, quants));
                    for (int i = 0; i < 16; i++) {
                        out.put((byte) (quants[i] + 8 | quants[i + 16] + 8 << 4));
                    }
                }
                default -> throw new IllegalArgumentException(type + " is not written");
            }
        }
        return out.array();
    }

    /// Rounded to the nearest, halves to the even one.
    private static short bfloat16(float value) {
        int bits = Float.floatToIntBits(value);
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    private Map<String, Object> metadata() {
        Map<String, Object> m = new LinkedHashMap<>();
        String architecture = config.family().gguf().architecture();
        m.put("general.architecture", architecture);
        m.put("general.name", directory.toAbsolutePath().normalize().getFileName().toString());
        m.put("general.file_type", fileType());
        m.put("general.quantization_version", 2);
        m.put(architecture + ".vocab_size", config.vocabularySize());
        m.put(architecture + ".block_count", config.numHiddenLayers());
        // llama.cpp looks at all positions: within the window that is the same
        int window = config.slidingWindow().orElse(Integer.MAX_VALUE);
        m.put(architecture + ".context_length", Math.min(window, config.maxPositionEmbeddings()));
        m.put(architecture + ".embedding_length", config.hiddenSize());
        m.put(architecture + ".feed_forward_length", config.intermediateSize());
        m.put(architecture + ".attention.head_count", config.numAttentionHeads());
        m.put(architecture + ".attention.head_count_kv", config.numKeyValueHeads());
        m.put(architecture + ".attention.key_length", config.headDim());
        m.put(architecture + ".attention.value_length", config.headDim());
        Rope rope = config.rope();
        m.put(architecture + ".rope.dimension_count", rope.dimensions(config.headDim()));
        String norm =
                switch (config.norm()) {
                    case Norm.Rms rms -> "layer_norm_rms_epsilon";
                    case Norm.Layer layer -> "layer_norm_epsilon";
                };
        m.put(architecture + ".attention." + norm, (float) config.norm().epsilon());
        m.put(architecture + ".rope.freq_base", (float) rope.theta());
        switch (rope.scaling()) {
            case Rope.Scaling.None n -> {}
            case Rope.Scaling.Linear linear -> {
                m.put(architecture + ".rope.scaling.type", "linear");
                m.put(architecture + ".rope.scaling.factor", (float) linear.factor());
            }
            case Rope.Scaling.Llama3 s -> {} // a tensor says it
            case Rope.Scaling.LongRope s -> { // two tensors say the rest
                m.put(
                        architecture + ".rope.scaling.original_context_length",
                        s.originalMaxPositionEmbeddings());
                m.put(architecture + ".rope.scaling.attn_factor", (float) s.attentionFactor());
            }
        }
        config.family()
                .ggufKeys(config)
                .forEach((key, value) -> m.put(architecture + "." + key, value));
        m.putAll(TokenizerMetadata.of(tokenizer(), config.vocabularySize()));
        special(m);
        return m;
    }

    private int fileType() {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q4_0 -> 2;
            case Q8_0 -> 7;
            case BF16 -> 32;
            default ->
                    throw new PenjingException(
                            type + " cannot be written: choose F32, F16, BF16, Q8_0 or Q4_0");
        };
    }

    private void special(Map<String, Object> m) {
        Tokenizer tokenizer = Tokenizers.load(directory);
        TextConventions conventions = TextConventions.ofFolder(directory, tokenizer);
        for (SpecialToken token : SpecialToken.values()) {
            // ids of tokens without a text would get one in the GGUF file, and so into templates
            if (token == SpecialToken.EOS || conventions.text(token).isPresent()) {
                conventions.id(token).ifPresent(id -> m.put(token.ggufKey(), id));
            }
        }
        Set<Integer> more = new LinkedHashSet<>(conventions.declaredEnds());
        conventions.id(SpecialToken.EOS).ifPresent(more::remove);
        more.removeAll(TextConventions.namedEnds(tokenizer));
        if (more.size() > TextConventions.GGUF_MORE_ENDS.size()) {
            throw new PenjingException(
                    "the tokens %s end an answer too, but GGUF has room for two beside EOS: leave some out of generation_config.json"
                            .formatted(more));
        }
        Iterator<String> keys = TextConventions.GGUF_MORE_ENDS.iterator();
        more.forEach(id -> m.put(keys.next(), id));
        m.put("tokenizer.ggml.add_bos_token", conventions.addsBos());
        if (conventions.addsEos()) {
            m.put("tokenizer.ggml.add_eos_token", true);
        }
        conventions
                .chatTemplate() // parsed, as one that is malformed is found here best
                .ifPresent(t -> m.put("tokenizer.chat_template", t.source()));
    }

    private JsonNode tokenizer() {
        return JsonText.read(directory.resolve("tokenizer.json"));
    }
}
