package dev.penjing.model;

/// Rotary position embedding (Su et al. 2021).
///
/// @param theta base of the frequencies
public record Rope(double theta, Scaling scaling) {
    /// How positions beyond those of training are reached.
    public sealed interface Scaling {
        record None() implements Scaling {}

        /// Positions are divided by `factor`.
        record Linear(double factor) implements Scaling {}

        /// Llama 3.1's: slow frequencies are divided by `factor`, fast ones kept.
        record Llama3(
                double factor,
                double lowFreqFactor,
                double highFreqFactor,
                int originalMaxPositionEmbeddings)
                implements Scaling {}
    }
}
