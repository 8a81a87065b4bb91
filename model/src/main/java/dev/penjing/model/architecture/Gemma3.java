package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The text models of Gemma 3 (Gemma team 2025): norms before and after attention and MLP whose
/// weights are stored less one, norms of queries and keys, a gate of GELU, embeddings times the
/// root of the hidden size; five layers of six see a window only, with rotary positions of their
/// own.
final class Gemma3 extends Llama {
    private static final String SLIDING = "sliding_attention";
    private static final String FULL = "full_attention";
    private static final String TYPES = "layer_types";
    private static final String PATTERN = "sliding_window_pattern";
    private static final String LOCAL_THETA = "rope_local_base_freq";
    private static final String SCALAR = "query_pre_attn_scalar";
    private static final String HIDDEN_ACTIVATION = "hidden_activation";
    private static final String GELU = "gelu_pytorch_tanh";
    private static final String GGUF_PATTERN = "attention.sliding_window_pattern";
    private static final int INTERVAL = 6;

    /// llama.cpp takes a model of so many layers for the one of 27 billion parameters, whose
    /// attention has another constant.
    private static final int LAYERS_OF_27B = 62;

    @Override
    public String name() {
        return "gemma3_text";
    }

    /// The larger ones call themselves so, together with their vision towers.
    @Override
    boolean is(String modelType) {
        return modelType.equals(name()) || modelType.equals("gemma3");
    }

    @Override
    public String transformersClass() {
        return "Gemma3ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("gemma3", false, false);
    }

    @Override
    Shape shape(ConfigKeys keys) {
        return keys.shape(256);
    }

    @Override
    boolean tied(ConfigKeys keys) {
        return keys.flag("tie_word_embeddings", true);
    }

    @Override
    Norm norm(ConfigKeys keys) {
        return new Norm.Rms(keys.epsilon("rms_norm_eps", 1e-6), 1);
    }

    @Override
    Mlp mlp(ConfigKeys keys) {
        keys.ignore("hidden_act"); // transformers does not read it here
        keys.require(HIDDEN_ACTIVATION, GELU);
        return new Mlp.GatedGelu();
    }

    @Override
    Multipliers multipliers(ConfigKeys keys, Shape shape) {
        double scalar = keys.positive(SCALAR, 256);
        return new Multipliers(Math.sqrt(shape.get(Axis.HIDDEN)), 1 / Math.sqrt(scalar), 1, 1);
    }

    @Override
    List<LayerAttention> attention(ConfigKeys keys, int layers) {
        int interval = keys.present(PATTERN) ? keys.size(PATTERN) : INTERVAL;
        int window = keys.present("sliding_window") ? keys.size("sliding_window") : 4096;
        JsonNode parameters = keys.json().path("rope_parameters");
        JsonNode scaling = keys.json().path("rope_scaling");
        JsonNode ofFull = parameters.isObject() ? parameters.path(FULL) : scaling;
        LayerAttention full =
                new LayerAttention(keys.rope(ofFull, "rope_theta", 1_000_000, 1), everywhere());
        LayerAttention sliding =
                new LayerAttention(
                        keys.rope(parameters.path(SLIDING), LOCAL_THETA, 10_000, 1),
                        OptionalInt.of(window));
        var types = keys.byLayer(TYPES);
        return IntStream.range(0, layers)
                .mapToObj(i ->
                        types.map(all -> kind(all.get(i).asString(""), keys))
                                .orElse(slides(i, interval)))
                .map(slides -> slides ? sliding : full)
                .toList();
    }

    private static boolean kind(String type, ConfigKeys keys) {
        if (!type.equals(SLIDING) && !type.equals(FULL)) {
            throw keys.unsupported(TYPES);
        }
        return type.equals(SLIDING);
    }

    private static boolean slides(int layer, int interval) {
        return (layer + 1) % interval != 0;
    }

    @Override
    void layer(LayerTensors layer) {
        layer.normBeforeAttention();
        layer.attention();
        layer.headNorms();
        layer.normBeforeMlp("pre_feedforward_layernorm");
        layer.mlp();
        layer.normsAfter();
    }

    /// transformers 4 has the rotary positions of both kinds of layers in keys of their own, 5 in
    /// one object.
    @Override
    void write(ModelConfig config, ObjectNode json) {
        json.put("rms_norm_eps", config.norm().epsilon());
        json.put(HIDDEN_ACTIVATION, GELU);
        json.remove(List.of("hidden_act", PATTERN, "_" + PATTERN));
        ArrayNode types = json.putArray(TYPES);
        ObjectNode parameters =
                json.path("rope_parameters") instanceof ObjectNode there
                        ? there
                        : json.putObject("rope_parameters");
        for (LayerAttention layer : config.attention()) {
            boolean slides = layer.window().isPresent();
            types.add(slides ? SLIDING : FULL);
            layer.window().ifPresent(w -> json.put("sliding_window", w));
            json.put(slides ? LOCAL_THETA : "rope_theta", layer.rope().theta());
            layer.rope().writeParameters(parameters.putObject(slides ? SLIDING : FULL));
        }
    }

    /// transformers takes no other.
    @Override
    ModelConfig resized(ModelConfig config) {
        int heads = config.numAttentionHeads();
        if (config.hiddenSize() % heads != 0) {
            throw new PenjingException(
                    "transformers takes no gemma3_text of %d channels and %d heads: choose a multiple of the heads, such as %d channels"
                            .formatted(
                                    config.hiddenSize(),
                                    heads,
                                    Math.ceilDiv(config.hiddenSize(), heads) * heads));
        }
        return config;
    }

    @Override
    public Map<String, Object> ggufKeys(ModelConfig config) {
        double known = 1 / Math.sqrt(ggufScalar(config.shape().sizes()));
        if (Math.abs(config.multipliers().attention() / known - 1) > 1e-6) {
            throw new PenjingException(
                    "GGUF cannot say that a gemma3 has another %s than %s: serve the folder itself"
                            .formatted(SCALAR, ggufScalar(config.shape().sizes())));
        }
        Map<String, Object> keys = new HashMap<>();
        keys.put("context_length", config.maxPositionEmbeddings());
        boolean[] slides = new boolean[config.numHiddenLayers()];
        boolean usual = true;
        for (int i = 0; i < slides.length; i++) {
            LayerAttention layer = config.attention().get(i);
            slides[i] = layer.window().isPresent();
            usual &= slides[i] == slides(i, INTERVAL);
            layer.window()
                    .ifPresent(w -> {
                        keys.put("attention.sliding_window", w);
                        keys.put("rope.freq_base_swa", (float) layer.rope().theta());
                    });
        }
        if (!usual) {
            keys.put(GGUF_PATTERN, slides);
        }
        return keys;
    }

    private static int ggufScalar(Map<Axis, Integer> sizes) {
        return sizes.getOrDefault(Axis.LAYER, 0) == LAYERS_OF_27B
                ? sizes.getOrDefault(Axis.HIDDEN, 0) / sizes.getOrDefault(Axis.QUERY_HEAD, 1)
                : sizes.getOrDefault(Axis.HEAD_DIM, 0);
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        json.remove("hidden_act");
        json.put(HIDDEN_ACTIVATION, GELU);
        json.put(LOCAL_THETA, gguf.real("rope.freq_base_swa").orElse(10_000.0));
        Map<Axis, Integer> sizes = new HashMap<>();
        for (Axis axis : Axis.values()) {
            sizes.put(axis, json.path(axis.key()).asInt(1));
        }
        json.put(SCALAR, ggufScalar(sizes));
        int layers = sizes.getOrDefault(Axis.LAYER, 0);
        ArrayNode types = json.putArray(TYPES);
        double window = gguf.real("attention.sliding_window").orElse(0.0);
        for (int i = 0; i < layers; i++) {
            types.add(window > 0 && slidesInGguf(gguf, i) ? SLIDING : FULL);
        }
        if (window > 0) {
            json.put("sliding_window", (int) window);
        }
    }

    /// The pattern is a list of truths, or the interval of layers that do not slide.
    private static boolean slidesInGguf(GgufSource gguf, int layer) {
        Object pattern = gguf.value(GGUF_PATTERN).orElse(INTERVAL);
        return switch (pattern) {
            case Object[] list -> layer < list.length && Boolean.TRUE.equals(list[layer]);
            case int[] list -> layer < list.length && list[layer] != 0;
            case Number n when n.intValue() > 0 -> slides(layer, n.intValue());
            default ->
                    throw new PenjingException(
                            "the GGUF file says its %s in a way that is not known"
                                    .formatted(GGUF_PATTERN));
        };
    }
}
