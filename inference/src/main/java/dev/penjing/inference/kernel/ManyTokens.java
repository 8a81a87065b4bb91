package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.VectorKernels.L;

/// A matrix times many rows of activations: bound by arithmetic. Each vector of weights is taken
/// apart in registers and meets eight rows of activations (four where there are fewer registers or
/// rows) before the next is read.
final class ManyTokens {
    /// Vectors of sums that fit into the registers beside what else is needed: there are 32 where
    /// vectors have 512 bits.
    static final boolean EIGHT = L == 16;

    private ManyTokens() {}

    static void product(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            Scratch scratch) {
        boolean four = w.quantization() == Quantization.Q4_0;
        if (!four && x.wholes.length > 0 && x.rows() >= EightFloatRows.LEAST) {
            floats(w, x, y, yAt, stride, from, to, scratch);
            return;
        }
        int step = x.tile();
        // the sums of a group lie side by side: in y they would share a few sets of the cache
        float[] sums = scratch.sums(8 * 2 * L);
        for (int row = from; row < to; row += 2 * L) {
            long at = w.offset(row, 0);
            for (int t = 0; t < x.rows(); ) {
                int left = x.rows() - t;
                int count = four && EIGHT && step == 8 && t % 8 == 0 && left > 4 ? 8 : 4;
                int rows = Math.min(count, left);
                int y0 = yAt + t * stride + row;
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(y, y0 + i * stride, sums, i * 2 * L, 2 * L);
                }
                int pairAt = x.pairIndex(t, 0);
                int blockAt = x.blockIndex(t, 0);
                if (count == 8) {
                    EightRows.q4(w.data(), at, w.blocks(), x, pairAt, blockAt, sums);
                } else if (four) {
                    FourRows.q4(w.data(), at, w.blocks(), x, pairAt, blockAt, step, sums);
                } else {
                    FourRows.q8(w.data(), at, w.blocks(), x, pairAt, blockAt, step, sums);
                }
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(sums, i * 2 * L, y, y0 + i * stride, 2 * L);
                }
                t += count;
            }
        }
    }

    private static void floats(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            Scratch scratch) {
        float[] sums = scratch.sums(8 * 2 * L);
        float[] weights = scratch.weights(EightFloatRows.size(w));
        for (int row = from; row < to; row += 2 * L) {
            EightFloatRows.unpack(w, row, weights);
            for (int t = 0; t < x.rows(); t += 8) {
                int rows = Math.min(8, x.rows() - t);
                int y0 = yAt + t * stride + row;
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(y, y0 + i * stride, sums, i * 2 * L, 2 * L);
                }
                EightFloatRows.product(weights, w.blocks(), x, x.blockIndex(t, 0), sums);
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(sums, i * 2 * L, y, y0 + i * stride, 2 * L);
                }
            }
        }
    }
}
