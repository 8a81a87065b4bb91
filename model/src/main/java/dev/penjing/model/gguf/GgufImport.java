package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Families;
import dev.penjing.model.architecture.Family;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Rope;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import dev.penjing.model.text.PostProcessor;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A GGUF file of a known family as a model in Hugging Face form: weights dequantised, tokenizer,
/// special tokens, chat template and generation settings.
public final class GgufImport {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// What weights are written in.
    private static final List<DType> TYPES = List.of(DType.F32, DType.F16, DType.BF16);

    /// Special tokens whose ids `config.json` and `generation_config.json` hold.
    private static final List<SpecialToken> WITH_IDS =
            List.of(SpecialToken.BOS, SpecialToken.EOS, SpecialToken.PAD);

    private final GgufFile gguf;
    private final Path directory;

    private GgufImport(GgufFile gguf, Path directory) {
        this.gguf = gguf;
        this.directory = directory;
    }

    /// @param type of the weights that are written: F32 keeps every value exactly
    /// @throws PenjingException if the file is of another architecture, or damaged
    /// @throws UsageException if no weights are written in the type
    public static void run(Path file, Path directory, DType type, Progress progress) {
        if (!TYPES.contains(type)) {
            throw new UsageException(
                    "`dtype` must be one of %s, not %s"
                            .formatted(TYPES, type)
                            .toLowerCase(Locale.ROOT));
        }
        try (GgufFile gguf = GgufFile.open(file)) {
            new GgufImport(gguf, directory).run(type, progress);
        }
    }

    /// Imports in the narrowest type that keeps every weight exactly.
    ///
    /// @throws PenjingException if the file is of another architecture, or damaged
    public static void runExact(Path file, Path directory, Progress progress) {
        try (GgufFile gguf = GgufFile.open(file)) {
            new GgufImport(gguf, directory).run(ExactType.of(gguf), progress);
        }
    }

    private void run(DType type, Progress progress) {
        ModelConfig config = config(gguf, type);
        weights(config, type, progress);
        Tokenizer tokenizer = Tokenizers.fromGguf(gguf.metadata());
        TextConventions conventions = TextConventions.ofGguf(gguf.metadata(), tokenizer);
        Tokenizers.save(tokenizer, PostProcessor.of(conventions), directory);
        tokenizerFiles(conventions, config);
        // last: what is there with a config.json is whole
        config.write(directory.resolve("config.json"));
    }

    /// The configuration that the file's metadata and tensors say.
    ///
    /// @throws PenjingException if the file is of another architecture
    public static ModelConfig config(GgufFile gguf, DType type) {
        String architecture = gguf.text("general.architecture").orElse("unknown");
        Family family =
                Families.ofGguf(architecture)
                        .orElseThrow(() ->
                                new PenjingException(
                                        "the GGUF file is of the architecture '%s': only %s can be imported"
                                                .formatted(architecture, Families.names())));
        if (gguf.number(architecture + ".expert_count").orElse(0L) > 0) {
            throw new PenjingException("the GGUF file is a mixture of experts: not supported");
        }
        String scaling = gguf.text(architecture + ".rope.scaling.type").orElse("none");
        boolean table = gguf.names().contains(RopeTable.NAME);
        if (!scaling.equals("none") && (table || !scaling.equals("linear"))) {
            throw new PenjingException(
                    "the GGUF file scales its rotary positions by '"
                            + scaling
                            + "': import the model's own safetensors instead");
        }
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add(family.transformersClass());
        json.put("model_type", family.name());
        long hidden = required(gguf, architecture + ".embedding_length");
        long heads = required(gguf, architecture + ".attention.head_count");
        json.put("hidden_size", hidden);
        json.put("intermediate_size", required(gguf, architecture + ".feed_forward_length"));
        json.put("num_hidden_layers", required(gguf, architecture + ".block_count"));
        json.put("num_attention_heads", heads);
        json.put(
                "num_key_value_heads",
                gguf.number(architecture + ".attention.head_count_kv").orElse(heads));
        json.put(
                "head_dim",
                gguf.number(architecture + ".attention.key_length")
                        .orElse(heads > 0 ? hidden / heads : 0));
        json.put("max_position_embeddings", required(gguf, architecture + ".context_length"));
        Family.GgufSource source = source(gguf, architecture);
        json.put("rope_theta", source.real("rope.freq_base").orElse(10_000.0));
        if (table) {
            Rope.Scaling.Llama3 llama3 =
                    RopeTable.scaling(
                            gguf.tensor(RopeTable.NAME).toFloats(),
                            json.get("rope_theta").asDouble());
            ObjectNode settings = json.putObject("rope_scaling");
            settings.put("rope_type", "llama3");
            settings.put("factor", llama3.factor());
            settings.put("low_freq_factor", llama3.lowFreqFactor());
            settings.put("high_freq_factor", llama3.highFreqFactor());
            settings.put(
                    "original_max_position_embeddings", llama3.originalMaxPositionEmbeddings());
        }
        if (gguf.names().contains(RopeTable.SHORT)) {
            ObjectNode settings = json.putObject("rope_scaling");
            settings.put("rope_type", "longrope");
            factors(settings.putArray("short_factor"), gguf, RopeTable.SHORT);
            factors(settings.putArray("long_factor"), gguf, RopeTable.LONG);
            long original = required(gguf, architecture + ".rope.scaling.original_context_length");
            json.put("original_max_position_embeddings", original);
            double most = json.get("max_position_embeddings").asDouble();
            double usual = Rope.Scaling.LongRope.usualFactor(most, Math.toIntExact(original));
            source.real("rope.scaling.attn_factor")
                    .filter(factor -> Math.abs(factor - usual) > 1e-6)
                    .ifPresent(factor -> settings.put("attention_factor", factor));
        }
        if (scaling.equals("linear")) {
            ObjectNode linear = json.putObject("rope_scaling");
            linear.put("rope_type", "linear");
            linear.put("factor", source.real("rope.scaling.factor").orElse(1.0));
        }
        family.fromGguf(json, source);
        for (SpecialToken token : WITH_IDS) {
            gguf.number(token.ggufKey()).ifPresent(id -> json.put(token.idKey(), id));
        }
        if (!json.has(SpecialToken.PAD.idKey())) {
            // or transformers takes the family's own, which need not be in the vocabulary
            json.putNull(SpecialToken.PAD.idKey());
        }
        String dtype =
                switch (type) {
                    case F16 -> "float16";
                    case BF16 -> "bfloat16";
                    default -> "float32";
                };
        json.put("dtype", dtype);
        json.put("torch_dtype", dtype);
        return ModelConfig.parse(json.toString(), "the GGUF file");
    }

    /// Decimal, so that 1.1 does not become 1.10000002.
    private static void factors(ArrayNode to, GgufFile gguf, String name) {
        for (float factor : gguf.tensor(name).toFloats()) {
            to.add(Double.parseDouble(Float.toString(factor)));
        }
    }

    private static Family.GgufSource source(GgufFile gguf, String architecture) {
        return new Family.GgufSource() {
            @Override
            public boolean has(String name) {
                return gguf.names().contains(name);
            }

            @Override
            public long rows(String name) {
                return gguf.tensor(name).shape()[0];
            }

            @Override
            public Optional<Object> value(String key) {
                return Optional.ofNullable(gguf.metadata().get(architecture + "." + key));
            }
        };
    }

    private static long required(GgufFile gguf, String key) {
        return gguf.number(key)
                .orElseThrow(() -> new PenjingException("the GGUF file does not say its " + key));
    }

    private void weights(ModelConfig config, DType type, Progress progress) {
        List<TensorSpec> specs = config.tensors();
        Set<String> left = new HashSet<>(gguf.names());
        left.removeAll(RopeTable.NAMES); // the configuration has it
        for (TensorSpec spec : specs) {
            gguf.tensor(spec); // or it fails
            left.remove(spec.ggufStored());
        }
        if (!left.isEmpty()) {
            throw new PenjingException(
                    "the GGUF file holds tensors that a %s has not, such as %s"
                            .formatted(config.family(), new TreeSet<>(left).first()));
        }
        try (SafetensorsWriter writer = SafetensorsWriter.ofModel(directory, specs, type)) {
            int done = 0;
            for (TensorSpec spec : specs) {
                float[] values = gguf.tensor(spec).toFloats();
                if (spec.rotated() && config.family().gguf().interleaved()) {
                    values = reordered(values, spec, config.headDim());
                }
                if (spec.role().gain()) {
                    for (int i = 0; i < values.length; i++) {
                        values[i] -= config.norm().plus();
                    }
                }
                writer.write(spec, values);
                progress.update("import", ++done, specs.size(), spec.name());
            }
            writer.finish();
        }
    }

    private static float[] reordered(float[] values, TensorSpec spec, int headDim) {
        int rows = Math.toIntExact(spec.shape()[0]);
        int width = values.length / rows;
        float[] result = new float[values.length];
        for (int row = 0; row < rows; row++) {
            int from = HeadRows.inGguf(row, headDim);
            System.arraycopy(values, from * width, result, row * width, width);
        }
        return result;
    }

    private void tokenizerFiles(TextConventions conventions, ModelConfig config) {
        ObjectNode tokenizer = JSON.createObjectNode();
        tokenizer.put("tokenizer_class", "PreTrainedTokenizerFast");
        tokenizer.put("model_max_length", config.maxPositionEmbeddings());
        tokenizer.put("clean_up_tokenization_spaces", false);
        ObjectNode special = JSON.createObjectNode();
        ObjectNode generation = JSON.createObjectNode();
        for (SpecialToken token : SpecialToken.values()) {
            conventions
                    .text(token)
                    .ifPresent(text -> {
                        tokenizer.put(token.textKey(), text);
                        special.put(token.textKey(), text);
                    });
        }
        for (SpecialToken token : WITH_IDS) {
            conventions.id(token).ifPresent(id -> generation.put(token.idKey(), id));
        }
        if (conventions.declaredEnds().size() > 1) {
            ArrayNode ends = generation.putArray(SpecialToken.EOS.idKey());
            conventions.declaredEnds().forEach(ends::add);
        }
        tokenizer.put("add_bos_token", conventions.addsBos());
        if (conventions.addsEos()) {
            tokenizer.put("add_eos_token", true);
        }
        conventions.chatTemplateSource().ifPresent(t -> tokenizer.put("chat_template", t));
        write("tokenizer_config.json", tokenizer);
        write("special_tokens_map.json", special);
        write("generation_config.json", generation);
    }

    private void write(String name, ObjectNode json) {
        AtomicFile.write(directory.resolve(name), json.toPrettyString() + "\n");
    }
}
