package dev.penjing.model.architecture;

import java.util.Arrays;

/// A tensor's name, as Hugging Face checkpoints spell it, and its shape.
public record TensorSpec(String name, long... shape) {
    /// Elements in all.
    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
