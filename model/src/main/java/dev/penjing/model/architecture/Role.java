package dev.penjing.model.architecture;

/// What a tensor does in a decoder. Every layer has at most one tensor of a role.
public enum Role {
    EMBEDDING,
    /// The norm before attention.
    ATTENTION_NORM,
    QUERY,
    KEY,
    VALUE,
    QUERY_BIAS,
    KEY_BIAS,
    VALUE_BIAS,
    /// From the heads back to the residual stream.
    OUTPUT,
    OUTPUT_BIAS,
    /// The norm before the MLP.
    MLP_NORM,
    GATE,
    UP,
    /// From the neurons back to the residual stream.
    DOWN,
    FINAL_NORM,
    /// From the last hidden states to logits, where it is not the embedding.
    HEAD
}
