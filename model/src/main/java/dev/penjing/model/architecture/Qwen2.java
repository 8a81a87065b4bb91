package dev.penjing.model.architecture;

import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// Qwen 2 and 2.5 (Yang et al. 2024): a Llama whose queries, keys and values have biases, its
/// output none. Windows over positions, which its published models leave off, are refused.
final class Qwen2 extends Llama {
    @Override
    public String name() {
        return "qwen2";
    }

    @Override
    public String transformersClass() {
        return "Qwen2ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("qwen2", false, false);
    }

    /// Whatever `attention_bias` says: transformers does not read it here.
    @Override
    Set<Role> biases(ConfigKeys keys) {
        keys.ignore("attention_bias");
        return EnumSet.of(Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS);
    }

    @Override
    OptionalInt window(ConfigKeys keys) {
        if (keys.flag("use_sliding_window", false)) {
            throw keys.unsupported("use_sliding_window");
        }
        return everywhere();
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        json.remove("attention_bias");
        json.put("use_sliding_window", false);
    }
}
