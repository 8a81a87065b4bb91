package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/// What training makes small: a loss on the logits of each token, summed over tokens, with its
/// gradient written down rather than recorded. [HeadLoss] runs it through a batch.
///
/// To add one: a class that implements this interface, and its name in [Objectives].
public interface Objective {
    /// The loss and its settings in short, as [Objectives#parse] reads it: part of what a run is
    /// recognised by, so it must not change while the loss does not.
    String key();

    /// Whether the teacher's logits must be there.
    boolean needsTeacher();

    /// The loss, in nats, summed over the tokens.
    double loss(TokenLogits logits);

    /// The gradient of [#loss] with respect to the student's logits.
    ///
    /// @return a new tensor, float32 `[C, V]`
    Tensor gradient(TokenLogits logits);

    /// The same loss as a sum of what [FusedComparison] computes in one pass over the logits; empty
    /// where it is no such sum.
    default Optional<FusedTerms> fused() {
        return Optional.empty();
    }

    /// A loss on hidden states inside of student and teacher, added to that on the logits.
    default Optional<HiddenLoss> hidden() {
        return Optional.empty();
    }

    /// Factors of the terms of a fused loss.
    ///
    /// @param divergence of the Kullback-Leibler divergence of the teacher's distribution from the
    ///   student's, at temperature 1
    /// @param crossEntropy of the cross-entropy with the next token
    record FusedTerms(double divergence, double crossEntropy) {}
}
