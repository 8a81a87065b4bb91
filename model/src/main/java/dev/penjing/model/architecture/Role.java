package dev.penjing.model.architecture;

/// What a tensor does in a decoder. Every layer has at most one tensor of a role.
public enum Role {
    EMBEDDING,
    /// The norm before attention.
    ATTENTION_NORM,
    ATTENTION_NORM_BIAS,
    QUERY,
    KEY,
    VALUE,
    QUERY_BIAS,
    KEY_BIAS,
    VALUE_BIAS,
    /// The norm of queries before they are rotated: of each head, or of all as one.
    QUERY_NORM,
    KEY_NORM,
    /// From the heads back to the residual stream.
    OUTPUT,
    OUTPUT_BIAS,
    /// The norm of what attention adds to the residual stream.
    AFTER_ATTENTION_NORM,
    /// The norm before the MLP.
    MLP_NORM,
    MLP_NORM_BIAS,
    GATE,
    UP,
    /// From the neurons back to the residual stream.
    DOWN,
    /// The norm of what the MLP adds to the residual stream.
    AFTER_MLP_NORM,
    FINAL_NORM,
    FINAL_NORM_BIAS,
    /// From the last hidden states to logits, where it is not the embedding.
    HEAD;

    /// Whether it is the weight of a norm, which a checkpoint may store less one.
    public boolean gain() {
        return switch (this) {
            case ATTENTION_NORM,
                    QUERY_NORM,
                    KEY_NORM,
                    AFTER_ATTENTION_NORM,
                    MLP_NORM,
                    AFTER_MLP_NORM,
                    FINAL_NORM ->
                    true;
            default -> false;
        };
    }
}
