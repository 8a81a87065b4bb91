package dev.penjing.model.architecture;

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

    /// Radians a position for each pair of dimensions of a head, scaled (section 3.2.2).
    ///
    /// @return `headDim / 2` frequencies
    public double[] frequencies(int headDim) {
        double[] frequencies = new double[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled(Math.pow(theta, -2.0 * i / headDim));
        }
        return frequencies;
    }

    private double scaled(double frequency) {
        return switch (scaling) {
            case Scaling.None n -> frequency;
            case Scaling.Linear linear -> frequency / linear.factor();
            case Scaling.Llama3 llama3 -> scaled(frequency, llama3);
        };
    }

    /// Slow frequencies are divided by the factor, fast ones kept, those between interpolated.
    private static double scaled(double frequency, Scaling.Llama3 s) {
        double turns = s.originalMaxPositionEmbeddings() * frequency / (2 * Math.PI);
        if (turns < s.lowFreqFactor()) {
            return frequency / s.factor();
        }
        if (turns > s.highFreqFactor()) {
            return frequency;
        }
        double smooth = (turns - s.lowFreqFactor()) / (s.highFreqFactor() - s.lowFreqFactor());
        return (1 - smooth) * frequency / s.factor() + smooth * frequency;
    }
}
