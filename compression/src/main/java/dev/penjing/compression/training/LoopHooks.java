package dev.penjing.compression.training;

import org.bytedeco.pytorch.Tensor;

/// What the training loop asks of the other processes that train the same model on other parts of
/// each batch (data parallelism): rank r of W takes the r-th of W equal parts of a global batch,
/// and all-reduces make gradient and loss those of the whole. Every rank calls the same methods in
/// the same order, and each call waits for all of them. Rank 0 alone measures and writes files.
public interface LoopHooks {
    /// One process that trains alone.
    LoopHooks SINGLE =
            new LoopHooks() {
                @Override
                public int rank() {
                    return 0;
                }

                @Override
                public int worldSize() {
                    return 1;
                }

                @Override
                public void allReduce(Tensor gradient) {}

                @Override
                public void allReduce(double[] sums) {}
            };

    /// From 0 to [#worldSize] - 1.
    int rank();

    /// Processes that train together.
    int worldSize();

    /// Replaces the gradient by its sum over all ranks, in the same order of additions on each, so
    /// that all ranks come to the same weights bit for bit.
    ///
    /// @param gradient flat, float32 `[size]`, on the device that computes
    void allReduce(Tensor gradient);

    /// Replaces each number by its sum over all ranks.
    void allReduce(double[] sums);

    /// Whether this rank writes metrics, checkpoints and the model.
    default boolean writes() {
        return rank() == 0;
    }
}
