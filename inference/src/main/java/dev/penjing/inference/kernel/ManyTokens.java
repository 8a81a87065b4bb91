package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.Lanes.L;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A matrix times many rows of activations: bound by arithmetic. Each vector of weights is taken
/// apart in registers and meets eight rows of activations (four where there are fewer registers or
/// rows) before the next is read.
final class ManyTokens {
    /// Vectors of sums that fit into the registers beside what else is needed: there are 32 where
    /// vectors have 512 bits.
    static final boolean EIGHT = L == 16;

    /// Rows of weights that go through the kernels together.
    private static final int GROUP = 2 * L;

    /// Blocks whose weights, of one group, stay in a cache of the second level: 74 KB of four-bit
    /// weights, 139 KB of eight-bit ones.
    private static final int PART = 128;

    /// With more rows than these, waiting for the weights is little of the work.
    private static final int BOUND_BY_MEMORY = 64;

    private ManyTokens() {}

    static void product(
            PackedMatrix w,
            LaneActivations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        boolean eights = inEights(w, x);
        // the sums of a group lie side by side: in y they would share a few sets of the cache
        float[] sums = scratch.sums(8 * GROUP);
        for (int row = from; row < to; row += GROUP) {
            for (int block = 0; block < w.blocks(); block += PART) {
                int blocks = Math.min(PART, w.blocks() - block);
                if (eights && x.rows() <= BOUND_BY_MEMORY) {
                    scratch.touched = touch(w, row, block, blocks);
                }
                part(w, x, y, yAt, stride, row, block, blocks, add || block > 0, sums);
            }
        }
    }

    private static boolean inEights(PackedMatrix w, LaneActivations x) {
        return EIGHT && x.tile() == 8 && (w.format() == WeightFormat.Q4_0 || x.wholes.length > 0);
    }

    /// Reads a value of every cache line, so that all of them are under way at once: while it
    /// computes with eight rows, the processor hardly gets ahead of itself (see
    /// `docs/lab-notebook.md`).
    private static int touch(PackedMatrix w, int row, int block, int blocks) {
        MemorySegment data = w.data();
        long at = w.offset(row, block);
        long end = at + (long) blocks * w.groupBlockBytes();
        int touched = 0;
        for (long line = at; line < end; line += 64) {
            touched |= data.get(PackedMatrix.INT, line);
        }
        return touched;
    }

    /// Some blocks of a group of rows, which stay in the cache for all rows of activations.
    private static void part(
            PackedMatrix w,
            LaneActivations x,
            float[] y,
            int yAt,
            int stride,
            int row,
            int block,
            int blocks,
            boolean add,
            float[] sums) {
        boolean four = w.format() == WeightFormat.Q4_0;
        boolean eights = inEights(w, x);
        int tile = x.tile();
        long at = w.offset(row, block);
        for (int t = 0; t < x.rows(); ) {
            int left = x.rows() - t;
            int count = eights && t % 8 == 0 && left > 4 ? 8 : 4;
            int rows = Math.min(count, left);
            int pairAt = x.pairIndex(t, block);
            int blockAt = x.blockIndex(t, block);
            int y0 = yAt + t * stride + row;
            start(add, y, y0, stride, rows, sums);
            if (count == 8 && four) {
                EightRows.q4(w.data(), at, blocks, x, pairAt, blockAt, sums);
            } else if (count == 8) {
                EightFloatRows.q8(w.data(), at, blocks, x, blockAt, sums);
            } else if (four) {
                FourRows.q4(w.data(), at, blocks, x, pairAt, blockAt, tile, sums);
            } else {
                FourRows.q8(w.data(), at, blocks, x, pairAt, blockAt, tile, sums);
            }
            store(sums, rows, y, y0, stride);
            t += count;
        }
    }

    /// Sums begin with what y holds, or, without reading y, with zeros.
    private static void start(boolean add, float[] y, int at, int stride, int rows, float[] sums) {
        if (!add) {
            Arrays.fill(sums, 0, rows * GROUP, 0);
            return;
        }
        for (int i = 0; i < rows; i++) {
            System.arraycopy(y, at + i * stride, sums, i * GROUP, GROUP);
        }
    }

    private static void store(float[] sums, int rows, float[] y, int at, int stride) {
        for (int i = 0; i < rows; i++) {
            System.arraycopy(sums, i * GROUP, y, at + i * stride, GROUP);
        }
    }
}
