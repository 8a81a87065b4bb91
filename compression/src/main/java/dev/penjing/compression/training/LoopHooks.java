package dev.penjing.compression.training;

import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/// What the training loop asks of the other processes that train the same model on other parts of
/// each batch (data parallelism), and share the optimizer's state (ZeRO-1, arXiv 1910.02054): rank
/// r of W takes the r-th of W parts of a global batch, gets the r-th [Shard] of the whole gradient,
/// updates that shard of the parameters, and hands it to the others. Every rank calls the same
/// methods in the same order, and each call waits for all of them. Rank 0 alone measures.
public interface LoopHooks {
    /// One process that trains alone.
    LoopHooks SINGLE = single(() -> false);

    /// One process that trains alone.
    ///
    /// @param stop whether it has been told to end
    static LoopHooks single(BooleanSupplier stop) {
        return new LoopHooks() {
            @Override
            public int rank() {
                return 0;
            }

            @Override
            public int worldSize() {
                return 1;
            }

            @Override
            public void reduceScatter(Tensor flat) {}

            @Override
            public void allGather(Tensor flat) {}

            @Override
            public void allReduce(double[] sums) {}

            @Override
            public boolean stopRequested() {
                return stop.getAsBoolean();
            }
        };
    }

    /// From 0 to [#worldSize] - 1.
    int rank();

    /// Processes that train together.
    int worldSize();

    /// Replaces this rank's shard by its sum over all ranks. What becomes of the other shards is
    /// open.
    ///
    /// @param flat float32 `[size]`, on the device that computes
    void reduceScatter(Tensor flat);

    /// Replaces each shard by what the rank that owns it has there, bit for bit.
    ///
    /// @param flat float32 `[size]`, on the device that computes
    void allGather(Tensor flat);

    /// Replaces each number by its sum over all ranks, the same on each bit for bit.
    void allReduce(double[] sums);

    /// Waits until all ranks have come here.
    default void barrier() {
        allReduce(new double[1]);
    }

    /// Does something on rank 0 first, and on the others when that is done: what they would
    /// otherwise all make, in one folder, they then find made.
    default <T> T rankZeroFirst(Supplier<T> work) {
        if (rank() > 0) {
            barrier();
            return work.get();
        }
        T result = work.get();
        barrier();
        return result;
    }

    /// Whether this process has been told to end: all ranks then do so after the same step, with a
    /// checkpoint.
    default boolean stopRequested() {
        return false;
    }

    /// Whether this rank writes metrics and the model.
    default boolean writes() {
        return rank() == 0;
    }
}
