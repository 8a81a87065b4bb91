package dev.penjing.model.architecture;

import static dev.penjing.model.architecture.Axis.HIDDEN;
import static dev.penjing.model.architecture.Axis.VOCABULARY;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// Llama 1 to 3 (Touvron et al. 2023): pre-norm with RMSNorm, grouped queries, a gated MLP. Most
/// families since are this one with a few switches, and extend this class.
class Llama extends Family {
    private static final String GGUF_EMBEDDING = "token_embd.weight";
    private static final String GGUF_HEAD = "output.weight";
    private static final Set<Role> ALL_BIASES =
            EnumSet.of(Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS, Role.OUTPUT_BIAS);

    @Override
    public String name() {
        return "llama";
    }

    @Override
    public String transformersClass() {
        return "LlamaForCausalLM";
    }

    @Override
    public GgufForm gguf() {
        return new GgufForm("llama", true, true);
    }

    @Override
    ModelConfig read(ConfigKeys keys) {
        Shape shape = shape(keys);
        List<LayerAttention> attention = attention(keys, shape.get(Axis.LAYER));
        return new ModelConfig(
                this,
                shape,
                context(keys, attention),
                norm(keys),
                mlp(keys),
                attention,
                multipliers(keys, shape),
                tied(keys),
                biases(keys),
                keys.json());
    }

    Shape shape(ConfigKeys keys) {
        return keys.shape();
    }

    /// With LongRoPE no more than that of training.
    private static int context(ConfigKeys keys, List<LayerAttention> attention) {
        int most = keys.size("max_position_embeddings");
        return attention.getFirst().rope().scaling() instanceof Rope.Scaling.LongRope longRope
                ? Math.min(most, longRope.originalMaxPositionEmbeddings())
                : most;
    }

    Norm norm(ConfigKeys keys) {
        return new Norm.Rms(keys.epsilon("rms_norm_eps", 1e-6), 0);
    }

    Mlp mlp(ConfigKeys keys) {
        // transformers knows it by both names
        keys.require("hidden_act", "silu", "swish");
        return new Mlp.GatedSilu();
    }

    boolean tied(ConfigKeys keys) {
        return keys.flag("tie_word_embeddings", false);
    }

    /// Of each layer.
    List<LayerAttention> attention(ConfigKeys keys, int layers) {
        LayerAttention all = new LayerAttention(rope(keys), window(keys));
        return Collections.nCopies(layers, all);
    }

    Rope rope(ConfigKeys keys) {
        return keys.rope(10_000);
    }

    Multipliers multipliers(ConfigKeys keys, Shape shape) {
        return Multipliers.of(shape);
    }

    /// Which of the four projections of attention have biases.
    Set<Role> biases(ConfigKeys keys) {
        return keys.flag("attention_bias", false) ? ALL_BIASES : EnumSet.noneOf(Role.class);
    }

    /// How many positions attention sees, if not all.
    OptionalInt window(ConfigKeys keys) {
        return everywhere();
    }

    @Override
    void write(ModelConfig config, ObjectNode json) {
        json.put("rms_norm_eps", config.norm().epsilon());
        config.rope().write(json);
    }

    /// transformers 5 takes no `llama` whose hidden size is not a multiple of its heads, but takes
    /// such a `mistral`, which computes the same where it has no window.
    @Override
    ModelConfig resized(ModelConfig config) {
        boolean divides = config.hiddenSize() % config.numAttentionHeads() == 0;
        if (divides || !config.biases().isEmpty()) {
            return config;
        }
        ObjectNode json = config.rest().deepCopy();
        Family mistral = new Mistral();
        json.put("model_type", mistral.name());
        json.putArray("architectures").add(mistral.transformersClass());
        json.putNull("sliding_window");
        json.remove(List.of("attention_bias", "mlp_bias", "pretraining_tp"));
        return ConfigKeys.read(json, "the student's configuration");
    }

    @Override
    public void fromGguf(ObjectNode json, GgufSource gguf) {
        json.put(Axis.VOCABULARY.key(), gguf.rows(GGUF_EMBEDDING));
        json.put("tie_word_embeddings", !gguf.has(GGUF_HEAD));
        json.put("attention_bias", gguf.has("blk.0.attn_q.bias"));
        json.put("hidden_act", "silu");
        json.put("rms_norm_eps", gguf.real("attention.layer_norm_rms_epsilon").orElse(1e-5));
    }

    @Override
    List<TensorSpec> tensors(ModelConfig config) {
        List<TensorSpec> all = new ArrayList<>();
        all.add(
                outside(
                        config,
                        Role.EMBEDDING,
                        "model.embed_tokens.weight",
                        GGUF_EMBEDDING,
                        VOCABULARY));
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            layer(new LayerTensors(config, i, all, fused()));
        }
        Init gain = config.norm().plus() == 0 ? Init.ONE : Init.ZERO;
        all.add(vector(config, Role.FINAL_NORM, "weight", gain));
        if (config.norm() instanceof Norm.Layer) {
            all.add(vector(config, Role.FINAL_NORM_BIAS, "bias", Init.ZERO));
        }
        if (!config.tieWordEmbeddings()) {
            all.add(head(config));
        }
        return all;
    }

    /// Whether a layer's queries, keys and values are stored as one, and gate and up.
    boolean fused() {
        return false;
    }

    /// Lists the tensors of a layer.
    void layer(LayerTensors layer) {
        layer.normBeforeAttention();
        layer.attention();
        layer.normBeforeMlp("post_attention_layernorm");
        layer.mlp();
    }

    @Override
    public TensorSpec head(ModelConfig config) {
        return outside(config, Role.HEAD, "lm_head.weight", GGUF_HEAD, VOCABULARY);
    }

    /// Of the norm behind the last layer.
    private static TensorSpec vector(ModelConfig config, Role role, String part, Init init) {
        return TensorSpec.of(
                "model.norm." + part,
                "output_norm." + part,
                role,
                OptionalInt.empty(),
                List.of(HIDDEN),
                List.of(),
                false,
                init,
                Optional.empty(),
                config.shape());
    }

    private static TensorSpec outside(
            ModelConfig config, Role role, String name, String ggufName, Axis rows) {
        return TensorSpec.of(
                name,
                ggufName,
                role,
                OptionalInt.empty(),
                List.of(rows),
                List.of(HIDDEN),
                false,
                Init.NORMAL,
                Optional.empty(),
                config.shape());
    }
}
