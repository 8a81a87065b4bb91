package dev.penjing.model.architecture;

import static dev.penjing.model.architecture.Axis.HEAD_DIM;
import static dev.penjing.model.architecture.Axis.HIDDEN;
import static dev.penjing.model.architecture.Axis.KEY_VALUE_HEAD;
import static dev.penjing.model.architecture.Axis.NEURON;
import static dev.penjing.model.architecture.Axis.QUERY_HEAD;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The tensors of one layer, which a family lists one after the other.
///
/// @param index of the layer
/// @param all the list
/// @param fused whether queries, keys and values are stored as one, and gate and up
record LayerTensors(ModelConfig config, int index, List<TensorSpec> all, boolean fused) {
    private static final String PREFIX = "model.layers.";
    private static final String GGUF_PREFIX = "blk.";
    private static final List<Axis> CHANNELS = List.of(HIDDEN);
    private static final List<Axis> QUERIES = List.of(QUERY_HEAD, HEAD_DIM);
    private static final List<Axis> KEYS = List.of(KEY_VALUE_HEAD, HEAD_DIM);
    private static final List<Axis> NEURONS = List.of(NEURON);

    /// The norms before attention and MLP.
    void normBeforeAttention() {
        norm(Role.ATTENTION_NORM, "input_layernorm", "attn_norm");
        normBias(Role.ATTENTION_NORM_BIAS, "input_layernorm", "attn_norm");
    }

    /// @param name which families spell in two ways
    void normBeforeMlp(String name) {
        norm(Role.MLP_NORM, name, "ffn_norm");
        normBias(Role.MLP_NORM_BIAS, name, "ffn_norm");
    }

    /// Queries, keys, values and output, with the biases that the configuration says.
    void attention() {
        matrix(Role.QUERY, "self_attn.q_proj", "attn_q", QUERIES, CHANNELS);
        matrix(Role.KEY, "self_attn.k_proj", "attn_k", KEYS, CHANNELS);
        matrix(Role.VALUE, "self_attn.v_proj", "attn_v", KEYS, CHANNELS);
        matrix(Role.OUTPUT, "self_attn.o_proj", "attn_output", CHANNELS, QUERIES);
        bias(Role.QUERY_BIAS, "self_attn.q_proj", "attn_q", QUERIES);
        bias(Role.KEY_BIAS, "self_attn.k_proj", "attn_k", KEYS);
        bias(Role.VALUE_BIAS, "self_attn.v_proj", "attn_v", KEYS);
        bias(Role.OUTPUT_BIAS, "self_attn.o_proj", "attn_output", CHANNELS);
    }

    /// The norms of queries and keys, head by head.
    void headNorms() {
        List<Axis> head = List.of(HEAD_DIM);
        gain(Role.QUERY_NORM, "self_attn.q_norm", "attn_q_norm", head);
        gain(Role.KEY_NORM, "self_attn.k_norm", "attn_k_norm", head);
    }

    /// The norms of queries and keys, of all heads as one.
    void projectionNorms() {
        gain(Role.QUERY_NORM, "self_attn.q_norm", "attn_q_norm", QUERIES);
        gain(Role.KEY_NORM, "self_attn.k_norm", "attn_k_norm", KEYS);
    }

    /// The norms of what attention and MLP add to the residual stream.
    void normsAfter() {
        norm(Role.AFTER_ATTENTION_NORM, "post_attention_layernorm", "post_attention_norm");
        norm(Role.AFTER_MLP_NORM, "post_feedforward_layernorm", "post_ffw_norm");
    }

    /// Gate, where there is one, up and down.
    void mlp() {
        if (config.mlp().gated()) {
            matrix(Role.GATE, "mlp.gate_proj", "ffn_gate", NEURONS, CHANNELS);
        }
        matrix(Role.UP, "mlp.up_proj", "ffn_up", NEURONS, CHANNELS);
        matrix(Role.DOWN, "mlp.down_proj", "ffn_down", CHANNELS, NEURONS);
    }

    private void norm(Role role, String name, String ggufName) {
        gain(role, name, ggufName, CHANNELS);
    }

    private void gain(Role role, String name, String ggufName, List<Axis> axes) {
        Init init = config.norm().plus() == 0 ? Init.ONE : Init.ZERO;
        add(role, name + ".weight", ggufName + ".weight", axes, List.of(), init);
    }

    private void normBias(Role role, String name, String ggufName) {
        if (config.norm() instanceof Norm.Layer) {
            add(role, name + ".bias", ggufName + ".bias", CHANNELS, List.of(), Init.ZERO);
        }
    }

    private void matrix(
            Role role, String name, String ggufName, List<Axis> rows, List<Axis> columns) {
        boolean residual = rows.equals(CHANNELS);
        Init init = residual ? Init.RESIDUAL : Init.NORMAL;
        add(role, name + ".weight", ggufName + ".weight", rows, columns, init);
    }

    /// Where a matrix lies in the tensor that holds several, if the family stores it so.
    private Optional<TensorSpec.Part> part(Role role) {
        long queries = config.shape().extent(QUERIES);
        long keys = config.shape().extent(KEYS);
        long neurons = config.shape().extent(NEURONS);
        return switch (role) {
            case QUERY -> qkv(0);
            case KEY -> qkv(queries);
            case VALUE -> qkv(queries + keys);
            case GATE -> gateUp(0);
            case UP -> gateUp(neurons);
            default -> Optional.empty();
        };
    }

    private Optional<TensorSpec.Part> qkv(long from) {
        long rows = config.shape().extent(QUERIES) + 2 * config.shape().extent(KEYS);
        return part("self_attn.qkv_proj", "attn_qkv", from, rows);
    }

    private Optional<TensorSpec.Part> gateUp(long from) {
        return part("mlp.gate_up_proj", "ffn_up", from, 2 * config.shape().extent(NEURONS));
    }

    private Optional<TensorSpec.Part> part(String name, String ggufName, long from, long rows) {
        return Optional.of(
                new TensorSpec.Part(
                        PREFIX + index + "." + name + ".weight",
                        GGUF_PREFIX + index + "." + ggufName + ".weight",
                        from,
                        rows));
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
                        PREFIX + index + "." + name,
                        GGUF_PREFIX + index + "." + ggufName,
                        role,
                        OptionalInt.of(index),
                        rows,
                        columns,
                        rotated,
                        init,
                        fused ? part(role) : Optional.empty(),
                        config.shape()));
    }
}
