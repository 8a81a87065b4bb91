package dev.penjing.compression;

import dev.penjing.model.architecture.ModelConfig;
import java.util.List;

/// A tiny model of every family beside Llama's own, each with all switches of its family set to
/// something else than their usual values.
///
/// @param config with the weights of [TinyModels]
/// @param last the first eight logits of the last of 21 positions that transformers 5.24 (eager
///   attention, float32) computes for these weights; `src/test/oracle/families.py` prints them
/// @param norm of the logits of all positions
public record TinyFamily(String name, ModelConfig config, List<Double> last, double norm) {
    public static List<TinyFamily> all() {
        return List.of(
                of(
                        "qwen3",
                        """
                        "model_type": "qwen3", "head_dim": 20, "attention_bias": true,
                        "rope_theta": 1000000.0
                        """,
                        26.7094,
                        0.57174,
                        0.20228,
                        -0.1285,
                        -1.58771,
                        0.11669,
                        -0.00781,
                        0.30142,
                        0.02883),
                of(
                        "nemotron",
                        """
                        "model_type": "nemotron", "norm_eps": 1e-3, "attention_bias": true,
                        "partial_rotary_factor": 0.5, "hidden_act": "relu2"
                        """,
                        66.228,
                        -1.27759,
                        -2.1826,
                        -2.82135,
                        -3.54053,
                        4.29749,
                        0.20536,
                        3.59193,
                        -0.59274),
                of(
                        "nemotron-quarter",
                        """
                        "model_type": "nemotron", "norm_eps": 1e-5,
                        "partial_rotary_factor": 0.25, "rope_parameters": {"rope_type": "default",
                        "rope_theta": 5000.0, "partial_rotary_factor": 0.25}
                        """,
                        64.6428,
                        -0.64565,
                        -2.52681,
                        -2.29135,
                        -2.19345,
                        3.14671,
                        -1.96206,
                        2.29163,
                        -1.04909),
                of(
                        "gemma3",
                        """
                        "model_type": "gemma3_text", "num_hidden_layers": 4, "sliding_window": 5,
                        "sliding_window_pattern": 3, "rope_theta": 100000.0,
                        "rope_local_base_freq": 1000.0, "rope_scaling": {"rope_type": "linear",
                        "factor": 4.0}, "query_pre_attn_scalar": 24,
                        "hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": true,
                        "attention_bias": true
                        """,
                        68.529,
                        0.88962,
                        -1.04844,
                        -0.55691,
                        2.95958,
                        0.39721,
                        4.03552,
                        2.369,
                        0.2896),
                of(
                        "gemma3-types",
                        """
                        "model_type": "gemma3", "sliding_window": 6, "layer_types":
                        ["full_attention", "sliding_attention", "full_attention"],
                        "rope_parameters": {"full_attention": {"rope_type": "default",
                        "rope_theta": 100000.0}, "sliding_attention": {"rope_type": "default",
                        "rope_theta": 500.0}}, "query_pre_attn_scalar": 16,
                        "tie_word_embeddings": true
                        """,
                        60.104,
                        1.59961,
                        -2.95527,
                        -1.37807,
                        3.76819,
                        -1.0305,
                        -1.30923,
                        3.08453,
                        0.72599),
                of(
                        "olmo2",
                        """
                        "model_type": "olmo2", "attention_bias": true, "rope_theta": 500000.0
                        """,
                        29.3848,
                        1.61677,
                        -0.13469,
                        -0.44782,
                        -1.01606,
                        -1.26278,
                        1.05078,
                        0.76627,
                        -0.18549),
                of(
                        "smollm3",
                        """
                        "model_type": "smollm3", "num_hidden_layers": 4, "rope_theta": 50000.0,
                        "attention_bias": true, "tie_word_embeddings": true,
                        "no_rope_layers": [1, 0, 1, 0]
                        """,
                        33.3112,
                        0.22255,
                        0.11619,
                        0.4327,
                        0.67293,
                        -0.02032,
                        1.72051,
                        0.6356,
                        0.35288),
                of(
                        "smollm3-interval",
                        """
                        "model_type": "smollm3", "no_rope_layer_interval": 2
                        """,
                        31.526,
                        -0.10927,
                        1.08398,
                        1.66723,
                        -0.13759,
                        0.27839,
                        0.79648,
                        0.8103,
                        -1.71729),
                of(
                        "granite",
                        """
                        "model_type": "granite", "embedding_multiplier": 6.0,
                        "attention_multiplier": 0.1, "residual_multiplier": 0.22,
                        "logits_scaling": 4.0, "attention_bias": true
                        """,
                        7.605,
                        0.36199,
                        0.02351,
                        0.05955,
                        -0.31242,
                        -0.14293,
                        0.13397,
                        0.30813,
                        -0.14177),
                of(
                        "phi3",
                        """
                        "model_type": "phi3", "head_dim": 20, "partial_rotary_factor": 0.5,
                        "sliding_window": 5, "rope_theta": 20000.0
                        """,
                        33.4235,
                        -0.14141,
                        0.6691,
                        0.8075,
                        -0.10155,
                        0.67609,
                        0.90841,
                        1.52143,
                        -0.95742),
                of(
                        "phi3-longrope",
                        """
                        "model_type": "phi3", "hidden_size": 96, "head_dim": 16,
                        "partial_rotary_factor": 0.5,
                        "original_max_position_embeddings": 64, "rope_theta": 20000.0,
                        "rope_scaling": {"type": "longrope",
                        "short_factor": [1.0, 1.5, 2.25, 3.0],
                        "long_factor": [4.0, 8.0, 12.0, 20.0]}
                        """,
                        40.2948,
                        -1.04544,
                        -0.57253,
                        0.91784,
                        -0.88389,
                        0.73031,
                        0.47078,
                        -1.65533,
                        -1.38806));
    }

    private static TinyFamily of(String name, String keys, double norm, Double... last) {
        // of two entries of one key the later counts
        String json =
                """
                {"vocab_size": 64, "hidden_size": 48, "intermediate_size": 80,
                 "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2,
                 "head_dim": 16, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
                 "pad_token_id": null, "tie_word_embeddings": false, %s}
                """
                        .formatted(keys);
        return new TinyFamily(name, ModelConfig.parse(json, name), List.of(last), norm);
    }

    @Override
    public String toString() {
        return name;
    }
}
