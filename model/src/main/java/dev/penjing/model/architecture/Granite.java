package dev.penjing.model.architecture;

import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// Granite 3 and its dense successors (IBM 2024): a Llama with constants at the embedding, at
/// attention, at the residual stream and at the logits.
final class Granite extends Llama {
    @Override
    public String name() {
        return "granite";
    }

    @Override
    public String transformersClass() {
        return "GraniteForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("granite", true, false);
    }

    /// The file has what logits are divided by.
    @Override
    Multipliers multipliers(ConfigKeys keys, Shape shape) {
        return new Multipliers(
                keys.positive("embedding_multiplier", 1),
                keys.positive("attention_multiplier", 1),
                keys.positive("residual_multiplier", 1),
                1 / keys.positive("logits_scaling", 1));
    }

    /// llama.cpp divides logits, too.
    @Override
    public Map<String, Object> ggufKeys(ModelConfig config) {
        Multipliers multipliers = config.multipliers();
        return Map.of(
                "embedding_scale", (float) multipliers.embedding(),
                "attention.scale", (float) multipliers.attention(),
                "residual_scale", (float) multipliers.residual(),
                "logit_scale", (float) (1 / multipliers.logits()));
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        double plain = 1 / Math.sqrt(json.path(Axis.HEAD_DIM.key()).asDouble());
        json.put("embedding_multiplier", gguf.real("embedding_scale").orElse(1.0));
        json.put("attention_multiplier", gguf.real("attention.scale").orElse(plain));
        json.put("residual_multiplier", gguf.real("residual_scale").orElse(1.0));
        json.put("logits_scaling", gguf.real("logit_scale").orElse(1.0));
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
