package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// SmolLM 3 (Hugging Face 2025): a Llama some of whose layers, every fourth in its published
/// models, have no rotary positions (Yang et al. 2025, RNoPE). Windows, which these leave off, are
/// refused.
final class SmolLm3 extends Llama {
    /// All that llama.cpp knows.
    private static final int GGUF_INTERVAL = 4;

    private static final String LIST = "no_rope_layers";
    private static final String INTERVAL = "no_rope_layer_interval";

    @Override
    public String name() {
        return "smollm3";
    }

    @Override
    public String transformersClass() {
        return "SmolLM3ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("smollm3", true, false);
    }

    @Override
    boolean tied(ConfigKeys keys) {
        return keys.flag("tie_word_embeddings", true);
    }

    /// The list has a 1 for a layer that has rotary positions.
    @Override
    List<LayerAttention> attention(ConfigKeys keys, int layers) {
        int interval = keys.present(INTERVAL) ? keys.size(INTERVAL) : GGUF_INTERVAL;
        keys.ignore(INTERVAL);
        var list = keys.byLayer(LIST);
        Rope rope = keys.rope(2_000_000);
        return IntStream.range(0, layers)
                .mapToObj(
                        i -> list.map(all -> all.get(i).asInt(1) != 0).orElse(rotated(i, interval)))
                .map(rotated -> new LayerAttention(rotated ? rope : rope.without(), everywhere()))
                .toList();
    }

    private static boolean rotated(int layer, int interval) {
        return (layer + 1) % interval != 0;
    }

    @Override
    void write(ModelConfig config, ObjectNode json) {
        super.write(config, json);
        ArrayNode list = json.putArray(LIST);
        config.attention().forEach(layer -> list.add(layer.rope().fraction() > 0 ? 1 : 0));
    }

    @Override
    public Map<String, Object> ggufKeys(ModelConfig config) {
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            boolean turned = config.attention().get(i).rope().fraction() > 0;
            if (turned != rotated(i, GGUF_INTERVAL)) {
                throw new PenjingException(
                        "GGUF cannot say that layer %d of a smollm3 %s rotary positions, since every fourth has none there: serve the folder itself"
                                .formatted(i, turned ? "has" : "has no"));
            }
        }
        return Map.of();
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        json.put(INTERVAL, GGUF_INTERVAL);
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
