package dev.penjing.model.architecture;

import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Rotary position embedding (Su et al. 2021).
///
/// @param theta base of the frequencies
/// @param fraction of a head's dimensions that are turned, the first ones
public record Rope(double theta, double fraction, Scaling scaling) {
    /// Of all dimensions.
    public Rope(double theta, Scaling scaling) {
        this(theta, 1, scaling);
    }

    /// The same where no dimension is turned.
    Rope without() {
        return new Rope(theta, 0, scaling);
    }

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

        /// LongRoPE (Ding et al. 2024): each frequency is divided by a factor of its own, within
        /// the context of training by a short one, beyond by a long one, and cosines and sines are
        /// multiplied by a constant. Texts within the context of training are what is computed.
        record LongRope(
                List<Double> shortFactors,
                List<Double> longFactors,
                double attentionFactor,
                int originalMaxPositionEmbeddings)
                implements Scaling {
            public LongRope {
                shortFactors = List.copyOf(shortFactors);
                longFactors = List.copyOf(longFactors);
            }

            /// The constant where nobody says another.
            ///
            /// @param most positions that the model takes
            /// @param original positions of the context of training
            public static double usualFactor(double most, int original) {
                double factor = most / original;
                return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
            }
        }
    }

    /// Into a `config.json`, as transformers 4 and 5 both read it: `rope_theta` and `rope_scaling`
    /// beside `rope_parameters`.
    void write(ObjectNode json) {
        json.put("rope_theta", theta);
        ObjectNode parameters = json.putObject("rope_parameters");
        writeParameters(parameters);
        if (scaling instanceof Scaling.None) {
            json.remove("rope_scaling");
        } else {
            json.set("rope_scaling", parameters.deepCopy().remove(List.of("rope_theta")));
        }
    }

    /// The settings in transformers 5's spelling.
    void writeParameters(ObjectNode parameters) {
        parameters.put("rope_theta", theta);
        if (fraction > 0 && fraction < 1) {
            parameters.put("partial_rotary_factor", fraction);
        }
        switch (scaling) {
            case Scaling.None n -> parameters.put("rope_type", "default");
            case Scaling.Linear linear -> {
                parameters.put("rope_type", "linear");
                parameters.put("factor", linear.factor());
            }
            case Scaling.Llama3 s -> {
                parameters.put("rope_type", "llama3");
                parameters.put("factor", s.factor());
                parameters.put("low_freq_factor", s.lowFreqFactor());
                parameters.put("high_freq_factor", s.highFreqFactor());
                parameters.put(
                        "original_max_position_embeddings", s.originalMaxPositionEmbeddings());
            }
            case Scaling.LongRope s -> {
                parameters.put("rope_type", "longrope");
                s.shortFactors().forEach(parameters.putArray("short_factor")::add);
                s.longFactors().forEach(parameters.putArray("long_factor")::add);
                parameters.put("attention_factor", s.attentionFactor());
                parameters.put(
                        "original_max_position_embeddings", s.originalMaxPositionEmbeddings());
            }
        }
    }

    /// How many of a head's dimensions are turned.
    public int dimensions(int headDim) {
        return (int) (headDim * fraction);
    }

    /// Radians a position for each pair of dimensions that are turned, scaled (section 3.2.2).
    /// Dimension i is one of a pair with that which stands as many frequencies behind it.
    ///
    /// @return half as many as [#dimensions]
    public double[] frequencies(int headDim) {
        int turned = dimensions(headDim);
        double[] frequencies = new double[turned / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled(Math.pow(theta, -2.0 * i / turned), i);
        }
        return frequencies;
    }

    /// What cosines and sines are multiplied by.
    public double magnitude() {
        return scaling instanceof Scaling.LongRope longRope ? longRope.attentionFactor() : 1;
    }

    private double scaled(double frequency, int pair) {
        return switch (scaling) {
            case Scaling.None n -> frequency;
            case Scaling.Linear linear -> frequency / linear.factor();
            case Scaling.Llama3 llama3 -> scaled(frequency, llama3);
            case Scaling.LongRope longRope -> frequency / longRope.shortFactors().get(pair);
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
