package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import dev.penjing.model.architecture.Rope;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.quantization.Bfloat16;
import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.quantization.InputSums;
import dev.penjing.model.quantization.RowQuantizer;
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
import java.util.function.Function;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// A model in Hugging Face form as a GGUF file that llama.cpp, and the engine here, can run.
public final class GgufExport {
    /// Rows that are rounded at once, by all threads.
    private static final int ROWS = 1024;

    private final Path directory;
    private final ModelConfig config;
    private final FileType type;
    private final Function<TensorSpec, InputSums> inputs;

    private GgufExport(
            Path directory,
            ModelConfig config,
            FileType type,
            Function<TensorSpec, InputSums> inputs) {
        this.directory = directory;
        this.config = config;
        this.type = type;
        this.inputs = inputs;
    }

    /// As [#run(Path, Path, FileType, Function, Progress)], with nothing known of the inputs.
    public static void run(Path directory, Path file, FileType type, Progress progress) {
        run(directory, file, type, spec -> InputSums.unknown(), progress);
    }

    /// Vectors are written in float32, matrices as `type` says of each.
    ///
    /// @param inputs of a matrix, asked for once for each, layer after layer
    /// @throws PenjingException if the model has what GGUF cannot say, or rows that are not whole
    ///   blocks
    public static void run(
            Path directory,
            Path file,
            FileType type,
            Function<TensorSpec, InputSums> inputs,
            Progress progress) {
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        Tokenizers.requireFits(Tokenizers.load(directory), config, directory);
        new GgufExport(directory, config, type, inputs).run(file, progress);
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
                                    spec.ggufStored(), type.of(spec, config), spec.storedShape()));
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

    private void write(GgufWriter writer, TensorSpec spec, TensorView view) {
        int rows = Math.toIntExact(spec.shape()[0]);
        BlockType to = type.of(spec, config);
        RowQuantizer quantizer =
                new RowQuantizer(to, spec.matrix() ? inputs.apply(spec) : InputSums.unknown());
        for (int from = 0; from < rows; from += ROWS) {
            int first = from;
            List<byte[]> written =
                    IntStream.range(first, Math.min(rows, first + ROWS))
                            .parallel()
                            .mapToObj(row -> encode(quantizer, to, row(spec, view, row)))
                            .toList();
            written.forEach(writer::write);
        }
        if (spec.last()) {
            writer.align();
        }
    }

    /// A row in GGUF's order.
    private float[] row(TensorSpec spec, TensorView view, int row) {
        long columns = spec.matrix() ? spec.shape()[1] : 1;
        boolean rotated = spec.rotated() && config.family().gguf().interleaved();
        long rowBytes = columns * view.dtype().bytes();
        int from = rotated ? HeadRows.inHuggingFace(row, config.headDim()) : row;
        MemorySegment data = view.data().asSlice(from * rowBytes, rowBytes);
        long[] shape = {columns};
        float[] values = new TensorView(spec.name(), view.dtype(), shape, data).toFloats();
        if (spec.role().gain()) {
            values[0] += config.norm().plus();
        }
        return values;
    }

    private static byte[] encode(RowQuantizer quantizer, BlockType type, float[] values) {
        if (type.weights() == 1) {
            return encode(type, values);
        }
        ByteBuffer out = buffer(type, values.length);
        quantizer.round(values, out);
        return out.array();
    }

    private static ByteBuffer buffer(BlockType type, int weights) {
        return ByteBuffer.allocate(weights / type.weights() * type.bytes())
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Floats of some kind.
    static byte[] encode(BlockType type, float[] values) {
        ByteBuffer out = buffer(type, values.length);
        for (float value : values) {
            switch (type) {
                case F32 -> out.putFloat(value);
                case F16 -> out.putShort(Float.floatToFloat16(value));
                case BF16 -> out.putShort(Bfloat16.bits(value));
                default -> throw new IllegalArgumentException(type + " is made of blocks");
            }
        }
        return out.array();
    }

    private Map<String, Object> metadata() {
        Map<String, Object> m = new LinkedHashMap<>();
        String architecture = config.family().gguf().architecture();
        m.put("general.architecture", architecture);
        m.put("general.name", directory.toAbsolutePath().normalize().getFileName().toString());
        m.put("general.file_type", type.code());
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
