package dev.penjing.model.architecture;

/// How hidden states are normalised. Whoever computes switches over all of them.
public sealed interface Norm {
    /// Added to the mean of squares.
    double epsilon();

    /// What is added to the weights of a checkpoint in Hugging Face's form before they multiply: 1
    /// where it stores them less one. GGUF files store them whole.
    float plus();

    /// x / sqrt(mean(x^2) + epsilon) * (weight + plus) (Zhang and Sennrich 2019).
    record Rms(double epsilon, float plus) implements Norm {}

    /// The same of x less its mean, and a bias behind it (Ba et al. 2016).
    record Layer(double epsilon, float plus) implements Norm {}
}
