package dev.penjing.compression.pruning;

import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;

/// The widths of a student. Key-value heads, head dimension, depth and vocabulary stay the
/// teacher's.
public record Shape(int hiddenSize, int intermediateSize, int numAttentionHeads) {
    public static Shape of(ModelConfig config) {
        return new Shape(
                config.hiddenSize(), config.intermediateSize(), config.numAttentionHeads());
    }

    /// @throws UsageException if a student of this shape cannot be cut from `teacher`; names the
    ///   nearest size that can
    public void requireCuttableFrom(ModelConfig teacher) {
        require("--hidden-size", hiddenSize, 1, teacher.hiddenSize());
        require("--intermediate-size", intermediateSize, 1, teacher.intermediateSize());
        require(
                "--num-attention-heads",
                numAttentionHeads,
                teacher.numKeyValueHeads(),
                teacher.numAttentionHeads());
    }

    private static void require(String option, int size, int step, int largest) {
        if (size >= step && size <= largest && size % step == 0) {
            return;
        }
        int nearest = Math.clamp(Math.round(size / (double) step) * step, step, largest);
        String why =
                size > largest
                        ? "is larger than the teacher's " + largest
                        : size < step
                                ? "is too small"
                                : "is not a multiple of the %d key-value heads".formatted(step);
        throw new UsageException(
                "%s %d %s: the nearest that can be is %d".formatted(option, size, why, nearest));
    }
}
