package dev.penjing.compression.decoder;

import org.bytedeco.pytorch.Tensor;

/// Taps the activations of a forward pass: importance is computed from them, and losses on hidden
/// states are. The tensors are the decoder's own and must not be changed. Those of [#layer] live as
/// long as the scope in which the pass runs and carry its gradient; the others end with the call.
public interface Probe {
    /// Looks at nothing.
    Probe NONE = new Probe() {};

    /// Output of a layer's first (`afterAttention` false) or second norm, `[B * L, D]`.
    default void norm(int layer, boolean afterAttention, Tensor outputND) {}

    /// Input of the attention's output projection: the heads' outputs side by side, `[B * L, H *
    /// E]`.
    default void heads(int layer, Tensor outputNHE) {}

    /// Input of the MLP's down projection, `[B * L, F]`.
    default void neurons(int layer, Tensor activationNF) {}

    /// Input and output of a layer, `[B * L, D]` each.
    default void layer(int layer, Tensor inputND, Tensor outputND) {}
}
