package dev.penjing.compression.decoder;

import org.bytedeco.pytorch.Tensor;

/// What the positions of a forward pass see: their own sequence alone ([Decoder#hidden(Tensor)]),
/// or keys and values that earlier passes cached as well.
public interface ForwardContext {
    /// The attention of one layer.
    ///
    /// @param qkvN q, k and v of each position side by side, not yet rotated, `[B * L, (H + 2K) *
    ///   E]`
    /// @return the heads' outputs, `[B * L, H * E]`
    Tensor attend(int layer, Tensor qkvN, long batch, long length);
}
