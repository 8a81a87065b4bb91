package dev.penjing.model.architecture;

/// How a tensor begins when a model is trained from random weights (GPT-2, section 2.3).
public enum Init {
    /// Normal, with a small deviation.
    NORMAL,
    /// Normal, with a deviation smaller by sqrt(2 * layers): it writes to the residual stream.
    RESIDUAL,
    ONE,
    ZERO
}
