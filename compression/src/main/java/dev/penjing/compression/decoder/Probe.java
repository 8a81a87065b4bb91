package dev.penjing.compression.decoder;

import org.bytedeco.pytorch.Tensor;

/// Is shown the activations of a forward pass that importance is computed from. Tensors are the
/// decoder's own: read them, keep nothing.
public interface Probe {
    /// Output of a layer's first (`afterAttention` false) or second norm, `[B * L, D]`.
    void norm(int layer, boolean afterAttention, Tensor outputND);

    /// Input of `o_proj`: the heads' outputs side by side, `[B * L, H * E]`.
    void heads(int layer, Tensor outputNHE);

    /// Input of `down_proj`, `[B * L, F]`.
    void neurons(int layer, Tensor activationNF);

    /// What a layer was given and what it made of it, `[B * L, D]` each.
    void layer(int layer, Tensor inputND, Tensor outputND);
}
