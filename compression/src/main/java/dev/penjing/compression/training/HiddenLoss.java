package dev.penjing.compression.training;

import org.bytedeco.pytorch.Tensor;

/// A loss on hidden states inside of a decoder, differentiated by autograd. Where student and
/// teacher differ in width, the loss brings a projection of its own; one that learns would need
/// parameters beside the decoder's, for which there is no place yet.
public interface HiddenLoss {
    /// The loss summed over tokens.
    ///
    /// @param student recorded by autograd
    /// @param teacher of the same tokens, without gradient
    /// @return float32, a scalar that autograd has recorded
    Tensor sum(HiddenStates student, HiddenStates teacher);
}
