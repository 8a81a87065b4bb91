package dev.penjing.evaluation.metrics;

import java.util.List;

/// A mean over items.
///
/// @param error its standard error, sample standard deviation / sqrt(items); NaN for one item
/// @param items how many
public record Score(double value, double error, int items) {
    /// @param values at least one
    public static Score of(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        double mean = sum / values.length;
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        double error = Math.sqrt(squares / (values.length - 1)) / Math.sqrt(values.length);
        return new Score(mean, error, values.length);
    }

    /// The mean over the items of all parts, and its error by the pooled variance of the parts
    /// (lm-evaluation-harness, `pooled_sample_stderr`).
    public static Score pooled(List<Score> parts) {
        int items = parts.stream().mapToInt(Score::items).sum();
        double sum = 0;
        double variance = 0;
        for (Score part : parts) {
            sum += part.value() * part.items();
            variance += (part.items() - 1.0) * part.error() * part.error() * part.items();
        }
        return new Score(sum / items, Math.sqrt(variance / (items - parts.size()) / items), items);
    }
}
