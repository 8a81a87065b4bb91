package dev.penjing.model.architecture;

import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Nemotron 3 and 4, Minitron and Nemotron-Mini (Parmar et al. 2024): LayerNorm whose weights are
/// stored less one, an MLP of squared ReLU without a gate, rotary positions in half of a head's
/// dimensions.
final class Nemotron extends Llama {
    private static final String TURNED = "partial_rotary_factor";

    @Override
    public String name() {
        return "nemotron";
    }

    @Override
    public String transformersClass() {
        return "NemotronForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("nemotron", false, false);
    }

    @Override
    Norm norm(ConfigKeys keys) {
        return new Norm.Layer(keys.epsilon("norm_eps", 1e-5), 1);
    }

    @Override
    Mlp mlp(ConfigKeys keys) {
        keys.require("hidden_act", "relu2");
        return new Mlp.SquaredRelu();
    }

    @Override
    Rope rope(ConfigKeys keys) {
        return keys.partialRope(10_000, 0.5);
    }

    @Override
    void write(ModelConfig config, ObjectNode json) {
        json.put("norm_eps", config.norm().epsilon());
        json.put(TURNED, config.rope().fraction());
        config.rope().write(json);
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        json.remove(List.of("rms_norm_eps"));
        json.put("hidden_act", "relu2");
        json.put("norm_eps", gguf.real("attention.layer_norm_epsilon").orElse(1e-5));
        double headDim = json.path(Axis.HEAD_DIM.key()).asDouble();
        json.put(TURNED, gguf.real("rope.dimension_count").map(d -> d / headDim).orElse(0.5));
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
