package dev.penjing.model.architecture;

/// How hidden states are normalised. Whoever computes switches over all of them.
public sealed interface Norm {
    /// Added to the mean of squares.
    double epsilon();

    /// x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich 2019).
    record Rms(double epsilon) implements Norm {}
}
