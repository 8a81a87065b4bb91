package dev.penjing.model.architecture;

/// What stands between attention and attention. Whoever computes switches over all of them.
public sealed interface Mlp {
    /// down(silu(gate(x)) * up(x)) (Shazeer 2020, SwiGLU).
    record GatedSilu() implements Mlp {}
}
