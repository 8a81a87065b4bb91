package dev.penjing.compression.decoder;

import dev.penjing.model.ModelConfig;
import dev.penjing.model.Rope;

/// Frequencies of the rotary position embedding, in radians a position, one for each pair of
/// dimensions (Su et al. 2021, section 3.2.2), scaled as the configuration says.
final class Rotary {
    private Rotary() {}

    static double[] frequencies(ModelConfig config) {
        int pairs = config.headDim() / 2;
        double[] frequencies = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            double plain = Math.pow(config.rope().theta(), -2.0 * i / config.headDim());
            frequencies[i] = scaled(plain, config.rope().scaling());
        }
        return frequencies;
    }

    private static double scaled(double frequency, Rope.Scaling scaling) {
        return switch (scaling) {
            case Rope.Scaling.None n -> frequency;
            case Rope.Scaling.Linear linear -> frequency / linear.factor();
            case Rope.Scaling.Llama3 llama3 -> scaled(frequency, llama3);
        };
    }

    /// Slow frequencies are divided by the factor, fast ones kept, those between interpolated.
    private static double scaled(double frequency, Rope.Scaling.Llama3 s) {
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
