package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads a `config.json` in either spelling: transformers 4 (`rope_theta`, `rope_scaling`) or 5
/// (`rope_parameters`).
final class ConfigReader {
    /// Nothing real is larger; products of two stay far from overflow.
    private static final int LARGEST = 1 << 24;

    private static final int MOST_LAYERS = 4096;

    /// Keys that change the computation in other families or newer versions, and the values at
    /// which they do not.
    private static final Map<String, Set<String>> NEUTRAL =
            Map.ofEntries(
                    Map.entry("hidden_act", Set.of("silu")),
                    Map.entry("mlp_bias", Set.of("false")),
                    Map.entry("partial_rotary_factor", Set.of("1", "1.0")),
                    Map.entry("attention_multiplier", Set.of()),
                    Map.entry("embedding_multiplier", Set.of("1", "1.0")),
                    Map.entry("residual_multiplier", Set.of("1", "1.0")),
                    Map.entry("logits_scaling", Set.of("1", "1.0")),
                    Map.entry("logit_scale", Set.of("1", "1.0")),
                    Map.entry("final_logit_softcapping", Set.of()),
                    Map.entry("attn_logit_softcapping", Set.of()),
                    Map.entry("query_pre_attn_scalar", Set.of()),
                    Map.entry("qk_norm", Set.of("false")),
                    Map.entry("use_qk_norm", Set.of("false")),
                    Map.entry("clip_qkv", Set.of()),
                    Map.entry("num_experts", Set.of("0", "1")),
                    Map.entry("num_local_experts", Set.of("0", "1")),
                    Map.entry("n_routed_experts", Set.of("0")),
                    Map.entry("kv_lora_rank", Set.of()),
                    Map.entry("no_rope_layers", Set.of("[]")),
                    Map.entry("no_rope_layer_interval", Set.of()),
                    Map.entry("alibi", Set.of("false")),
                    Map.entry("parallel_attn", Set.of("false")),
                    Map.entry("use_parallel_residual", Set.of("false")),
                    Map.entry("add_cross_attention", Set.of("false")),
                    Map.entry("is_encoder_decoder", Set.of("false")),
                    Map.entry("quantization_config", Set.of()));

    private final ObjectNode json;
    private final String where;

    ConfigReader(ObjectNode json, String where) {
        this.json = json;
        this.where = where;
    }

    ModelConfig read() {
        String type = json.path("model_type").asString("");
        if (!type.equals("llama") && !type.equals("mistral")) {
            throw fail(
                    "it is a '"
                            + type
                            + "'; llama and mistral are supported (CONTRIBUTING.md says how to add a"
                            + " family)");
        }
        NEUTRAL.forEach(this::requireNeutral);
        requireFullAttention();
        if (size("num_hidden_layers") > MOST_LAYERS) {
            throw fail(
                    "num_hidden_layers is " + json.path("num_hidden_layers") + ", which cannot be");
        }
        int hidden = size("hidden_size");
        int heads = size("num_attention_heads");
        int groups = present("num_key_value_heads") ? size("num_key_value_heads") : heads;
        if (heads % groups != 0) {
            throw fail("num_attention_heads is not a multiple of num_key_value_heads");
        }
        int headDim = present("head_dim") ? size("head_dim") : hidden / heads;
        if (headDim % 2 != 0 || headDim == 0) {
            throw fail("head_dim " + headDim + " is not an even number");
        }
        OptionalInt window =
                type.equals("mistral") && present("sliding_window")
                        ? OptionalInt.of(size("sliding_window"))
                        : OptionalInt.empty();
        double epsilon = json.path("rms_norm_eps").asDouble(1e-6);
        if (!(epsilon > 0 && epsilon < 1)) {
            throw fail("rms_norm_eps must lie between 0 and 1");
        }
        return new ModelConfig(
                type,
                size("vocab_size"),
                hidden,
                size("intermediate_size"),
                size("num_hidden_layers"),
                heads,
                groups,
                headDim,
                size("max_position_embeddings"),
                ModelConfig.Norm.RMS,
                epsilon,
                ModelConfig.Mlp.GATED_SILU,
                rope(),
                json.path("tie_word_embeddings").asBoolean(false),
                json.path("attention_bias").asBoolean(false),
                window,
                json);
    }

    private void requireNeutral(String key, Set<String> values) {
        if (present(key)) {
            JsonNode value = json.get(key);
            String text = value.isString() ? value.stringValue() : value.toString();
            if (!values.contains(text)) {
                throw fail(
                        "it sets "
                                + key
                                + " to "
                                + text
                                + ", which changes the computation in a way that is not supported");
            }
        }
    }

    private void requireFullAttention() {
        for (JsonNode layer : json.path("layer_types")) {
            if (!layer.asString("").equals("full_attention")) {
                throw fail("it sets layer_types to " + layer + ", which is not supported");
            }
        }
    }

    private Rope rope() {
        JsonNode parameters =
                present("rope_parameters")
                        ? json.get("rope_parameters")
                        : json.path("rope_scaling");
        double theta =
                parameters.path("rope_theta").isNumber()
                        ? parameters.path("rope_theta").asDouble()
                        : json.path("rope_theta").asDouble(10_000);
        if (!(theta > 0 && Double.isFinite(theta))) {
            throw fail("rope_theta must be positive");
        }
        String type =
                parameters.path("rope_type").asString(parameters.path("type").asString("default"));
        Rope.Scaling scaling =
                switch (type) {
                    case "default" -> new Rope.Scaling.None();
                    case "linear" -> new Rope.Scaling.Linear(factor(parameters, "factor"));
                    case "llama3" ->
                            new Rope.Scaling.Llama3(
                                    factor(parameters, "factor"),
                                    factor(parameters, "low_freq_factor"),
                                    factor(parameters, "high_freq_factor"),
                                    (int) factor(parameters, "original_max_position_embeddings"));
                    default ->
                            throw fail("its rope_type is '" + type + "', which is not supported");
                };
        return new Rope(theta, scaling);
    }

    private double factor(JsonNode parameters, String key) {
        double value = parameters.path(key).asDouble(0);
        if (!(value > 0 && value < LARGEST)) {
            throw fail("its rope scaling has no usable " + key);
        }
        return value;
    }

    private boolean present(String key) {
        return json.has(key) && !json.get(key).isNull();
    }

    private int size(String key) {
        JsonNode value = json.path(key);
        if (!value.isIntegralNumber()) {
            throw fail("it has no " + key);
        }
        long size = value.asLong(0);
        if (size < 1 || size > LARGEST) {
            throw fail(key + " is " + size + ", which cannot be");
        }
        return (int) size;
    }

    private PenjingException fail(String what) {
        return new PenjingException("cannot use " + where + ": " + what);
    }
}
