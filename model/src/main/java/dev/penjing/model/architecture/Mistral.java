package dev.penjing.model.architecture;

import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;

/// Mistral (Jiang et al. 2023): a Llama that may look back over a window only. GGUF has no name of
/// its own for it.
final class Mistral extends Llama {
    @Override
    public String name() {
        return "mistral";
    }

    @Override
    public String transformersClass() {
        return "MistralForCausalLM";
    }

    /// Whatever `attention_bias` says: transformers does not read it here.
    @Override
    Set<Role> biases(ConfigKeys keys) {
        keys.ignore("attention_bias");
        return EnumSet.noneOf(Role.class);
    }

    @Override
    OptionalInt window(ConfigKeys keys) {
        return keys.present("sliding_window")
                ? OptionalInt.of(keys.size("sliding_window"))
                : everywhere();
    }

    @Override
    ModelConfig resized(ModelConfig config) {
        return config;
    }
}
