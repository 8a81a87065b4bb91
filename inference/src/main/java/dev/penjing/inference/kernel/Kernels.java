package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Collection;

/// The engine's inner loops. Implementations are stateless and thread-safe; what several threads
/// write at once must not overlap.
public interface Kernels {
    /// Positions that lie side by side in a tile of the key cache.
    int KEY_TILE = 16;

    /// Positions of a block of the key-value cache.
    int KEY_BLOCK = 2 * KEY_TILE;

    /// Queries that go through attention at once.
    int QUERIES = 4;

    /// A block of activations below this in size is zero: its inverse would be infinite.
    float SMALLEST = 1e-30f;

    /// What it is and how wide, for people.
    String describe();

    /// 32-bit lanes of a vector: the layout of the matrices that it multiplies.
    int lanes();

    /// Room for activations as these kernels read them.
    ///
    /// @param maxRows that are ever used at once
    /// @param by the matrices that they are multiplied by
    /// @param memory where they may get theirs from, outside the heap
    Activations activations(
            int maxRows, int columns, Collection<PackedMatrix> by, SegmentAllocator memory);

    /// y[row of x][row of w] = x w^T for the rows of w from `from` to `to`, both multiples of 32. A
    /// sum is y = fma(whole-number sum of a block, scale of weights * scale of activations, y),
    /// block after block, or part after part where they have scales of their own. Where a block
    /// takes something away, y = fma(-8 * sum of activations * their scale, what is taken / 8, y)
    /// follows. The same on all kernels, bit for bit, for any number of rows.
    ///
    /// @param x made by [#activations] of these kernels
    /// @param y [rows of x][stride], the element of row 0 of both at `yAt` (which may be negative)
    /// @param add whether to add to what y holds
    void product(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch);

    /// Quantises columns `from` to `to` of a row, both multiples of 32.
    ///
    /// @param x the row's column 0 is at `at`
    void quantize(float[] x, int at, int from, int to, Activations out, int row, Scratch scratch);

    /// out = x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich 2019).
    void rmsNorm(float[] x, int at, float[] weight, int size, float epsilon, float[] out);

    /// gate = silu(gate) * up, where silu(z) = z / (1 + e^-z).
    void siluTimes(float[] gate, int gateAt, float[] up, int upAt, int count);

    /// gate = gelu(gate) * up, where gelu(z) = z / (1 + e^-2y) and y = sqrt(2 / pi) (z + 0.044715
    /// z^3): the approximation by tanh (Hendrycks and Gimpel 2016, section 2).
    void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int count);

    /// scores[t] = scale x (q . k_t) for the 16 positions of a tile.
    ///
    /// @param keys float16, [headDim][16], from `at` on
    void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt);

    /// out += sum over t < count of weights[t] x v_t.
    ///
    /// @param values float16, [count][headDim], from `at` on
    void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt);

    /// `scores` of four queries, bit for bit.
    ///
    /// @param q [4][headDim], from `qAt` on
    /// @param stride from one query's scores to the next one's
    void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride);

    /// `mix` of four rows of weights, bit for bit.
    ///
    /// @param stride from one row of weights to the next
    /// @param out [4][headDim], from `outAt` on
    void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt);

    /// Scores of a run of positions in the key-value cache, which starts with a block: all tiles
    /// that hold one of them. Each query's are the same whatever others are there.
    ///
    /// @param work [QUERIES][headDim] queries from `qAt` on, of which all are there; and scores,
    ///   [QUERIES][stride], from `scoresAt` on
    /// @param queries how many count
    /// @param blocks of the cache, in the order of positions
    /// @param at where the keys start in each, tile after tile
    default void scores(
            float[] work,
            int qAt,
            int queries,
            int headDim,
            MemorySegment[] blocks,
            long at,
            int positions,
            float scale,
            int scoresAt,
            int stride,
            Scratch scratch) {
        for (int p = 0; p < positions; p += KEY_TILE) {
            MemorySegment keys = blocks[p / KEY_BLOCK];
            long tile = at + 2L * (p % KEY_BLOCK * headDim);
            if (queries == 1) {
                scores(work, qAt, headDim, keys, tile, scale, work, scoresAt + p);
            } else {
                fourScores(work, qAt, headDim, keys, tile, scale, work, scoresAt + p, stride);
            }
        }
    }

    /// Adds the values of a run of positions in the key-value cache, weighed, to what `work` holds.
    ///
    /// @param work weights, [QUERIES][stride], from `weightsAt` on; and sums, [QUERIES][headDim],
    ///   from `outAt` on
    /// @param queries how many count
    /// @param at where the values start in each block
    default void mix(
            float[] work,
            int weightsAt,
            int stride,
            int queries,
            MemorySegment[] blocks,
            long at,
            int positions,
            int headDim,
            int outAt,
            Scratch scratch) {
        for (int p = 0; p < positions; p += KEY_BLOCK) {
            MemorySegment values = blocks[p / KEY_BLOCK];
            int count = Math.min(positions - p, KEY_BLOCK);
            int weights = weightsAt + p;
            if (queries == 1) {
                mix(work, weights, count, values, at, headDim, work, outAt);
            } else {
                fourMixes(work, weights, stride, count, values, at, headDim, work, outAt);
            }
        }
    }

    /// Scores to probabilities, in place.
    void softmax(float[] scores, int at, int count);

    /// The natural logarithm of the sum of e^x: what turns a logit into a log-probability.
    double logSumExp(float[] x, int at, int count);
}
