package dev.penjing.model.architecture;

import static dev.penjing.model.architecture.Axis.HEAD_DIM;
import static dev.penjing.model.architecture.Axis.HIDDEN;
import static dev.penjing.model.architecture.Axis.KEY_VALUE_HEAD;
import static dev.penjing.model.architecture.Axis.NEURON;
import static dev.penjing.model.architecture.Axis.QUERY_HEAD;
import static dev.penjing.model.architecture.Axis.VOCABULARY;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
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
        return new ModelConfig(
                this,
                keys.shape(),
                keys.size("max_position_embeddings"),
                new Norm.Rms(keys.epsilon("rms_norm_eps", 1e-6)),
                mlp(keys),
                keys.rope(),
                keys.flag("tie_word_embeddings", false),
                biases(keys),
                window(keys),
                keys.json());
    }

    Mlp mlp(ConfigKeys keys) {
        String activation = keys.text("hidden_act", "silu");
        // transformers knows it by both names
        if (!activation.equals("silu") && !activation.equals("swish")) {
            throw keys.unsupported("hidden_act");
        }
        return new Mlp.GatedSilu();
    }

    /// Which of the four projections of attention have biases.
    Set<Role> biases(ConfigKeys keys) {
        return keys.flag("attention_bias", false) ? ALL_BIASES : EnumSet.noneOf(Role.class);
    }

    /// How many positions attention sees, if not all.
    OptionalInt window(ConfigKeys keys) {
        return everywhere();
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
        json.putArray("architectures").add(mistral.transformersClass());
        json.putNull("sliding_window");
        json.remove(List.of("attention_bias", "mlp_bias", "pretraining_tp"));
        return config.as(mistral, json);
    }

    @Override
    public void fromGguf(ObjectNode json, GgufTensors tensors) {
        json.put(Axis.VOCABULARY.key(), tensors.rows(GGUF_EMBEDDING));
        json.put("tie_word_embeddings", !tensors.has(GGUF_HEAD));
        json.put("attention_bias", tensors.has("blk.0.attn_q.bias"));
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
            new Layer(config, i, all).add();
        }
        all.add(
                TensorSpec.of(
                        "model.norm.weight",
                        "output_norm.weight",
                        Role.FINAL_NORM,
                        OptionalInt.empty(),
                        List.of(HIDDEN),
                        List.of(),
                        false,
                        Init.ONE,
                        config.shape()));
        if (!config.tieWordEmbeddings()) {
            all.add(head(config));
        }
        return all;
    }

    @Override
    public TensorSpec head(ModelConfig config) {
        return outside(config, Role.HEAD, "lm_head.weight", GGUF_HEAD, VOCABULARY);
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
                config.shape());
    }

    /// The tensors of one layer.
    private record Layer(ModelConfig config, int index, List<TensorSpec> all) {
        private static final List<Axis> CHANNELS = List.of(HIDDEN);
        private static final List<Axis> QUERIES = List.of(QUERY_HEAD, HEAD_DIM);
        private static final List<Axis> KEYS = List.of(KEY_VALUE_HEAD, HEAD_DIM);
        private static final List<Axis> NEURONS = List.of(NEURON);

        void add() {
            norm(Role.ATTENTION_NORM, "input_layernorm", "attn_norm");
            matrix(Role.QUERY, "self_attn.q_proj", "attn_q", QUERIES, CHANNELS);
            matrix(Role.KEY, "self_attn.k_proj", "attn_k", KEYS, CHANNELS);
            matrix(Role.VALUE, "self_attn.v_proj", "attn_v", KEYS, CHANNELS);
            matrix(Role.OUTPUT, "self_attn.o_proj", "attn_output", CHANNELS, QUERIES);
            bias(Role.QUERY_BIAS, "self_attn.q_proj", "attn_q", QUERIES);
            bias(Role.KEY_BIAS, "self_attn.k_proj", "attn_k", KEYS);
            bias(Role.VALUE_BIAS, "self_attn.v_proj", "attn_v", KEYS);
            bias(Role.OUTPUT_BIAS, "self_attn.o_proj", "attn_output", CHANNELS);
            norm(Role.MLP_NORM, "post_attention_layernorm", "ffn_norm");
            matrix(Role.GATE, "mlp.gate_proj", "ffn_gate", NEURONS, CHANNELS);
            matrix(Role.UP, "mlp.up_proj", "ffn_up", NEURONS, CHANNELS);
            matrix(Role.DOWN, "mlp.down_proj", "ffn_down", CHANNELS, NEURONS);
        }

        private void norm(Role role, String name, String ggufName) {
            add(role, name + ".weight", ggufName + ".weight", CHANNELS, List.of(), Init.ONE);
        }

        private void matrix(
                Role role, String name, String ggufName, List<Axis> rows, List<Axis> columns) {
            boolean residual = rows.equals(CHANNELS);
            Init init = residual ? Init.RESIDUAL : Init.NORMAL;
            add(role, name + ".weight", ggufName + ".weight", rows, columns, init);
        }

        private void bias(Role role, String name, String ggufName, List<Axis> rows) {
            if (config.biases().contains(role)) {
                add(role, name + ".bias", ggufName + ".bias", rows, List.of(), Init.ZERO);
            }
        }

        private void add(
                Role role,
                String name,
                String ggufName,
                List<Axis> rows,
                List<Axis> columns,
                Init init) {
            boolean rotated =
                    switch (role) {
                        case QUERY, QUERY_BIAS, KEY, KEY_BIAS -> true;
                        default -> false;
                    };
            all.add(
                    TensorSpec.of(
                            "model.layers." + index + "." + name,
                            "blk." + index + "." + ggufName,
                            role,
                            OptionalInt.of(index),
                            rows,
                            columns,
                            rotated,
                            init,
                            config.shape()));
        }
    }
}
