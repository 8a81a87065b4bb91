package dev.penjing.model.architecture;

/// What stands between attention and attention. Whoever computes switches over all of them.
public sealed interface Mlp {
    /// Whether it has a gate beside its up projection.
    boolean gated();

    /// down(silu(gate(x)) * up(x)) (Shazeer 2020, SwiGLU).
    record GatedSilu() implements Mlp {
        @Override
        public boolean gated() {
            return true;
        }
    }

    /// down(gelu(gate(x)) * up(x)) (Shazeer 2020, GEGLU), where gelu is approximated by tanh
    /// (Hendrycks and Gimpel 2016, section 2).
    record GatedGelu() implements Mlp {
        @Override
        public boolean gated() {
            return true;
        }
    }

    /// down(max(0, up(x))^2) (So et al. 2021).
    record SquaredRelu() implements Mlp {
        @Override
        public boolean gated() {
            return false;
        }
    }
}
