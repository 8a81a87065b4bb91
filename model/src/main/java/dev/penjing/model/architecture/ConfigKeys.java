package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The keys of a `config.json` in either spelling, transformers 4 (`rope_theta`, `rope_scaling`) or
/// 5 (`rope_parameters`), and which of them a family has read: what no family took must not change
/// the computation.
final class ConfigKeys {
    /// Nothing real is larger; products of two stay far from overflow.
    private static final int LARGEST = 1 << 24;

    private static final int MOST_LAYERS = 4096;

    /// Keys that change the computation of some family or newer version, and the values at which
    /// they do not. One that a family reads is its own affair.
    private static final Map<String, Set<String>> NEUTRAL =
            Map.ofEntries(
                    Map.entry("hidden_act", Set.of("silu")),
                    Map.entry("attention_bias", Set.of("false")),
                    Map.entry("mlp_bias", Set.of("false")),
                    Map.entry("use_sliding_window", Set.of("false")),
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
                    Map.entry("use_bidirectional_attention", Set.of("false")),
                    Map.entry("parallel_attn", Set.of("false")),
                    Map.entry("use_parallel_residual", Set.of("false")),
                    Map.entry("add_cross_attention", Set.of("false")),
                    Map.entry("is_encoder_decoder", Set.of("false")),
                    Map.entry("quantization_config", Set.of()));

    /// What keys and types of unknown families tell of them.
    private static final Map<String, String> FEATURES =
            new TreeMap<>(
                    Map.of(
                            "expert", "experts",
                            "moe", "experts",
                            "mixtral", "experts",
                            "mamba", "state-space layers",
                            "ssm", "state-space layers",
                            "rwkv", "state-space layers"));

    private final ObjectNode json;
    private final String where;
    private final Set<String> taken = new HashSet<>();

    private ConfigKeys(ObjectNode json, String where) {
        this.json = json;
        this.where = where;
    }

    /// The configuration, read by the family that its `model_type` names.
    static ModelConfig read(ObjectNode json, String where) {
        ConfigKeys keys = new ConfigKeys(json, where);
        String type = json.path("model_type").asString("");
        keys.requireTextAlone();
        Family family = Families.named(type).orElseThrow(() -> keys.unknown(type));
        ModelConfig config = family.read(keys);
        keys.requireNothingElse();
        return config;
    }

    private void requireTextAlone() {
        for (String key : List.of("vision_config", "audio_config")) {
            if (present(key)) {
                throw fail(
                        "it has a %s tower (%s), which is not supported: use a model of text alone"
                                .formatted(key.substring(0, key.indexOf('_')), key));
            }
        }
    }

    /// Names what is not supported in a model of an unknown type, as far as the file tells.
    private PenjingException unknown(String type) {
        String why = "";
        for (Map.Entry<String, String> feature : FEATURES.entrySet()) {
            boolean told =
                    json.propertyNames().stream().anyMatch(key -> key.contains(feature.getKey()))
                            || type.contains(feature.getKey());
            if (told && why.isEmpty()) {
                why = " with " + feature.getValue() + ", which are not supported";
            }
        }
        return fail(
                "it is a '%s'%s; %s are supported (CONTRIBUTING.md says how to add a family)"
                        .formatted(type, why, Families.names()));
    }

    /// The file's sizes, as all families spell them, of a family whose heads share the hidden size
    /// among them where the file says nothing else.
    Shape shape() {
        int heads = size(Axis.QUERY_HEAD.key());
        int hidden = size(Axis.HIDDEN.key());
        if (!present(Axis.HEAD_DIM.key()) && hidden % heads != 0) {
            throw fail("it has no head_dim, and hidden_size is not a multiple of its heads");
        }
        return shape(hidden / heads);
    }

    /// The file's sizes.
    ///
    /// @param otherwise the head dimension where the file says none
    Shape shape(int otherwise) {
        int layers = size(Axis.LAYER.key());
        if (layers > MOST_LAYERS) {
            throw fail(Axis.LAYER.key() + " is " + layers + ", which cannot be");
        }
        int hidden = size(Axis.HIDDEN.key());
        int heads = size(Axis.QUERY_HEAD.key());
        String groupsKey = Axis.KEY_VALUE_HEAD.key();
        int groups = present(groupsKey) ? size(groupsKey) : heads;
        if (heads % groups != 0) {
            throw fail("num_attention_heads is not a multiple of num_key_value_heads");
        }
        int headDim = present(Axis.HEAD_DIM.key()) ? size(Axis.HEAD_DIM.key()) : otherwise;
        if (headDim % 2 != 0 || headDim == 0) {
            throw fail("head_dim " + headDim + " is not an even number");
        }
        return new Shape(
                Map.of(
                        Axis.VOCABULARY, size(Axis.VOCABULARY.key()),
                        Axis.HIDDEN, hidden,
                        Axis.NEURON, size(Axis.NEURON.key()),
                        Axis.QUERY_HEAD, heads,
                        Axis.KEY_VALUE_HEAD, groups,
                        Axis.HEAD_DIM, headDim,
                        Axis.LAYER, layers));
    }

    /// What is left of the file once its family has read it changes no computation.
    private void requireNothingElse() {
        NEUTRAL.forEach((key, values) -> {
            if (!taken.contains(key)) {
                requireNeutral(key, values);
            }
        });
        if (!taken.contains("layer_types")) {
            requireFullAttention();
        }
    }

    ObjectNode json() {
        return json;
    }

    /// A number between 0 and 1.
    double epsilon(String key, double otherwise) {
        double epsilon = take(key).asDouble(otherwise);
        if (!(epsilon > 0 && epsilon < 1)) {
            throw fail(key + " must lie between 0 and 1");
        }
        return epsilon;
    }

    boolean flag(String key, boolean otherwise) {
        return take(key).asBoolean(otherwise);
    }

    /// A number that is positive.
    double positive(String key, double otherwise) {
        double value = take(key).asDouble(otherwise);
        if (!(value > 0 && Double.isFinite(value))) {
            throw fail(key + " must be positive");
        }
        return value;
    }

    /// Requires that a key, where it is there, has one of these values.
    void require(String key, String... values) {
        if (!List.of(values).contains(take(key).asString(values[0]))) {
            throw unsupported(key);
        }
    }

    /// One entry for each layer.
    ///
    /// @throws PenjingException if there is a list of another length
    Optional<JsonNode> byLayer(String key) {
        JsonNode list = take(key);
        if (!list.isArray()) {
            return Optional.empty();
        }
        if (list.size() < size(Axis.LAYER.key())) {
            throw fail(key + " has fewer entries than there are layers");
        }
        return Optional.of(list);
    }

    /// A key that says nothing in a family, whatever its value.
    void ignore(String key) {
        taken.add(key);
    }

    private JsonNode take(String key) {
        taken.add(key);
        return json.path(key);
    }

    /// That a key has a value which asks for what is not known here.
    PenjingException unsupported(String key) {
        return fail(
                "it sets %s to %s, which changes the computation in a way that is not supported"
                        .formatted(key, shown(json.get(key))));
    }

    private static String shown(JsonNode value) {
        return value.isString() ? value.stringValue() : value.toString();
    }

    private void requireNeutral(String key, Set<String> values) {
        if (present(key) && !values.contains(shown(json.get(key)))) {
            throw unsupported(key);
        }
    }

    private void requireFullAttention() {
        for (JsonNode layer : json.path("layer_types")) {
            if (!layer.asString("").equals("full_attention")) {
                throw fail("it sets layer_types to " + layer + ", which is not supported");
            }
        }
    }

    /// Rotary positions of all dimensions, in either spelling.
    ///
    /// @param theta where the file says none
    Rope rope(double theta) {
        return rope(ropeParameters(), "rope_theta", theta, 1);
    }

    /// The same of a share of a head's dimensions.
    ///
    /// @param fraction where the file says none
    Rope partialRope(double theta, double fraction) {
        double turned =
                ropeParameters()
                        .path("partial_rotary_factor")
                        .asDouble(take("partial_rotary_factor").asDouble(fraction));
        if (!(turned > 0 && turned <= 1)) {
            throw fail("partial_rotary_factor must lie between 0 and 1");
        }
        return rope(ropeParameters(), "rope_theta", theta, turned);
    }

    private JsonNode ropeParameters() {
        return present("rope_parameters") ? json.get("rope_parameters") : json.path("rope_scaling");
    }

    /// The same where the settings stand elsewhere.
    ///
    /// @param thetaKey of the file itself, in transformers 4's spelling
    Rope rope(JsonNode parameters, String thetaKey, double otherwise, double turned) {
        double theta =
                parameters.path("rope_theta").asDouble(json.path(thetaKey).asDouble(otherwise));
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
                    case "longrope", "su" -> longRope(parameters);
                    default ->
                            throw fail("its rope_type is '" + type + "', which is not supported");
                };
        return new Rope(theta, turned, scaling);
    }

    /// What the settings do not say follows from the context (transformers, `modeling_rope_utils`).
    private Rope.Scaling.LongRope longRope(JsonNode parameters) {
        String originalKey = "original_max_position_embeddings";
        double most = size("max_position_embeddings");
        int original =
                present(originalKey) ? size(originalKey) : (int) factor(parameters, originalKey);
        double reached = parameters.path("factor").asDouble(most / original) * original;
        double usual = Rope.Scaling.LongRope.usualFactor(reached, original);
        return new Rope.Scaling.LongRope(
                factors(parameters, "short_factor"),
                factors(parameters, "long_factor"),
                parameters.path("attention_factor").asDouble(usual),
                original);
    }

    private List<Double> factors(JsonNode parameters, String key) {
        List<Double> factors = new ArrayList<>();
        for (JsonNode factor : parameters.path(key)) {
            factors.add(factor.asDouble(0));
        }
        if (factors.isEmpty() || factors.stream().anyMatch(f -> !(f > 0))) {
            throw fail("its rope scaling has no usable " + key);
        }
        return factors;
    }

    private double factor(JsonNode parameters, String key) {
        double value = parameters.path(key).asDouble(0);
        if (!(value > 0 && value < LARGEST)) {
            throw fail("its rope scaling has no usable " + key);
        }
        return value;
    }

    boolean present(String key) {
        return json.has(key) && !json.get(key).isNull();
    }

    int size(String key) {
        JsonNode value = take(key);
        if (value.isMissingNode() || value.isNull()) {
            throw fail("it has no " + key);
        }
        // Python counts 128.0 as 128
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (number != Math.rint(number) || Double.isInfinite(number)) {
            throw fail("%s is %s, not a whole number".formatted(key, value));
        }
        long size = (long) number;
        if (size < 1 || size > LARGEST) {
            throw fail(key + " is " + size + ", which cannot be");
        }
        return (int) size;
    }

    PenjingException fail(String what) {
        return new PenjingException("cannot use " + where + ": " + what);
    }
}
