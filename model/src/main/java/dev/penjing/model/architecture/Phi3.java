package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.EnumSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// Phi 3 and 4 (Abdin et al. 2024): a Llama that stores queries, keys and values as one tensor, and
/// gate and up as one. Windows; rotary positions in a share of a head's dimensions.
final class Phi3 extends Llama {
    private static final String TURNED = "partial_rotary_factor";
    private static final String ORIGINAL = "original_max_position_embeddings";

    @Override
    public String name() {
        return "phi3";
    }

    @Override
    public String transformersClass() {
        return "Phi3ForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("phi3", false, false);
    }

    @Override
    boolean fused() {
        return true;
    }

    @Override
    Norm norm(ConfigKeys keys) {
        return new Norm.Rms(keys.epsilon("rms_norm_eps", 1e-5), 0);
    }

    @Override
    Rope rope(ConfigKeys keys) {
        return keys.partialRope(10_000, 1);
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

    /// transformers 4 takes `rope_scaling` with three keys only, and 5 that in preference to
    /// `rope_parameters`.
    @Override
    void write(ModelConfig config, ObjectNode json) {
        Rope rope = config.attention().getFirst().rope();
        json.put("rms_norm_eps", config.norm().epsilon());
        rope.write(json);
        json.put(TURNED, rope.fraction());
        if (rope.scaling() instanceof Rope.Scaling.LongRope longRope) {
            json.put(ORIGINAL, longRope.originalMaxPositionEmbeddings());
            ObjectNode scaling = json.putObject("rope_scaling");
            scaling.put("type", "longrope");
            longRope.shortFactors().forEach(scaling.putArray("short_factor")::add);
            longRope.longFactors().forEach(scaling.putArray("long_factor")::add);
            double usual =
                    Rope.Scaling.LongRope.usualFactor(
                            most(config), longRope.originalMaxPositionEmbeddings());
            if (longRope.attentionFactor() != usual) {
                scaling.put("attention_factor", longRope.attentionFactor());
            }
        }
    }

    /// Positions that the model takes, of which those beyond the context of training are not
    /// computed here.
    private static int most(ModelConfig config) {
        return config.rest().path("max_position_embeddings").asInt(0);
    }

    /// llama.cpp looks at all positions: within the window that is the same.
    @Override
    public Map<String, Object> ggufKeys(ModelConfig config) {
        int window = config.slidingWindow().orElse(Integer.MAX_VALUE);
        return Map.of("context_length", Math.min(window, most(config)));
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        super.fromGguf(json, gguf);
        json.remove("attention_bias");
        double headDim = json.path(Axis.HEAD_DIM.key()).asDouble();
        json.put(TURNED, gguf.real("rope.dimension_count").map(d -> d / headDim).orElse(1.0));
    }

    /// transformers counts the factors of LongRoPE against the hidden size and the heads.
    @Override
    ModelConfig resized(ModelConfig config) {
        int dimensions = config.hiddenSize() / config.numAttentionHeads();
        boolean scaled =
                config.attention().getFirst().rope().scaling() instanceof Rope.Scaling.LongRope;
        if (scaled && dimensions != config.headDim()) {
            throw new PenjingException(
                    "transformers takes no phi3 with longrope of %d heads whose hidden size is %d: choose %d"
                            .formatted(
                                    config.numAttentionHeads(),
                                    config.hiddenSize(),
                                    config.numAttentionHeads() * config.headDim()));
        }
        return config;
    }
}
