package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.OneToken.halves;
import static dev.penjing.inference.kernel.OneToken.high;
import static dev.penjing.inference.kernel.OneToken.low;
import static dev.penjing.inference.kernel.OneToken.times;
import static dev.penjing.inference.kernel.VectorKernels.F;
import static dev.penjing.inference.kernel.VectorKernels.HALF;
import static dev.penjing.inference.kernel.VectorKernels.I;
import static dev.penjing.inference.kernel.VectorKernels.L;
import static dev.penjing.inference.kernel.VectorKernels.LITTLE;
import static dev.penjing.inference.kernel.VectorKernels.S;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// A matrix times many rows of activations: bound by arithmetic, so weights are widened to 16 bits
/// once and then meet all rows, four at a time, from the cache nearest to the core.
final class ManyTokens {
    private static final int VECTOR = 4 * L;

    /// Shorts of a group's block, widened: 16 pairs of columns for 2 L rows.
    private static final int WIDE = Activations.PAIRS * 4 * L;

    /// Blocks that are widened at a time: with the rows' activations they stay in the first cache.
    private static final int CHUNK = 8;

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
        short[] wide = scratch.unpacked(CHUNK * WIDE);
        float[] scales = scratch.scales(CHUNK * 2 * L + 5 * 2 * L);
        int tiles = Math.ceilDiv(x.rows(), Activations.TILE);
        boolean four = w.quantization() == Quantization.Q4_0;
        for (int row = from; row < to; row += 2 * L) {
            for (int b = 0; b < w.blocks(); b += CHUNK) {
                int count = Math.min(CHUNK, w.blocks() - b);
                for (int i = 0; i < count; i++) {
                    long at = w.offset(row, b + i);
                    if (four) {
                        widen4(w.data(), at, wide, i * WIDE);
                    } else {
                        widen8(w.data(), at, wide, i * WIDE);
                    }
                    scales(w, row, b + i, scales, i * 2 * L);
                }
                for (int tile = 0; tile < tiles; tile++) {
                    int t = tile * Activations.TILE;
                    int left = x.rows() - t;
                    // rows beyond the last are computed into the scratch, and left there
                    float[] to1 = left > 1 ? y : scales;
                    float[] to2 = left > 2 ? y : scales;
                    float[] to3 = left > 3 ? y : scales;
                    int spare = CHUNK * 2 * L;
                    int at0 = yAt + t * stride + row;
                    int at1 = left > 1 ? at0 + stride : spare;
                    int at2 = left > 2 ? at0 + 2 * stride : spare + 2 * L;
                    int at3 = left > 3 ? at0 + 3 * stride : spare + 4 * L;
                    if (four) {
                        tile4(wide, scales, count, x, t, b, y, at0, to1, at1, to2, at2, to3, at3);
                    } else {
                        tile8(wide, scales, count, x, t, b, y, at0, to1, at1, to2, at2, to3, at3);
                    }
                }
            }
        }
    }

    private static void scales(PackedMatrix w, int row, int block, float[] to, int at) {
        long from = w.offset(row, block) + (long) w.groupRows() * 4 * w.quantization().bits();
        IntVector scales = IntVector.fromMemorySegment(I, w.data(), from, LITTLE);
        low(scales).mul(HALF).intoArray(to, at);
        high(scales).mul(HALF).intoArray(to, at + L);
    }

    private static void widen4(MemorySegment data, long at, short[] to, int i) {
        for (int v = 0; v < 8; v++) {
            ShortVector q = ShortVector.fromMemorySegment(S, data, at + v * VECTOR, LITTLE);
            // vectors of the lower and the upper rows take turns
            int o = i + (v / 2 * 8 + v % 2) * 2 * L;
            q.and((short) 15).sub((short) 8).intoArray(to, o);
            q.lanewise(VectorOperators.LSHR, 4).and((short) 15).sub((short) 8).intoArray(to, o + 4 * L);
            q.lanewise(VectorOperators.LSHR, 8).and((short) 15).sub((short) 8).intoArray(to, o + 8 * L);
            q.lanewise(VectorOperators.LSHR, 12).sub((short) 8).intoArray(to, o + 12 * L);
        }
    }

    private static void widen8(MemorySegment data, long at, short[] to, int i) {
        for (int v = 0; v < 16; v++) {
            ShortVector q = ShortVector.fromMemorySegment(S, data, at + v * VECTOR, LITTLE);
            int o = i + (v / 2 * 4 + v % 2) * 2 * L;
            OneToken.even(q).intoArray(to, o);
            OneToken.odd(q).intoArray(to, o + 4 * L);
        }
    }

    /// Four rows of activations times 2 L rows of `count` blocks of four-bit weights: -8 to 7 times
    /// at most 127, sixteen times, fits into 16 bits.
    private static void tile4(
            short[] wide,
            float[] scales,
            int count,
            Activations x,
            int t,
            int block,
            float[] y0,
            int at0,
            float[] y1,
            int at1,
            float[] y2,
            int at2,
            float[] y3,
            int at3) {
        int[] pairs = x.pairs;
        for (int b = 0; b < count; b++) {
            int at = x.pairIndex(t, block + b);
            int o = b * WIDE;
            ShortVector a00 = ShortVector.zero(S);
            ShortVector a01 = a00;
            ShortVector a10 = a00;
            ShortVector a11 = a00;
            ShortVector a20 = a00;
            ShortVector a21 = a00;
            ShortVector a30 = a00;
            ShortVector a31 = a00;
            for (int p = 0; p < Activations.PAIRS; p++, at += 4, o += 4 * L) {
                ShortVector w0 = ShortVector.fromArray(S, wide, o);
                ShortVector w1 = ShortVector.fromArray(S, wide, o + 2 * L);
                ShortVector x0 = IntVector.broadcast(I, pairs[at]).reinterpretAsShorts();
                a00 = a00.add(w0.mul(x0));
                a01 = a01.add(w1.mul(x0));
                ShortVector x1 = IntVector.broadcast(I, pairs[at + 1]).reinterpretAsShorts();
                a10 = a10.add(w0.mul(x1));
                a11 = a11.add(w1.mul(x1));
                ShortVector x2 = IntVector.broadcast(I, pairs[at + 2]).reinterpretAsShorts();
                a20 = a20.add(w0.mul(x2));
                a21 = a21.add(w1.mul(x2));
                ShortVector x3 = IntVector.broadcast(I, pairs[at + 3]).reinterpretAsShorts();
                a30 = a30.add(w0.mul(x3));
                a31 = a31.add(w1.mul(x3));
            }
            FloatVector s0 = FloatVector.fromArray(F, scales, b * 2 * L);
            FloatVector s1 = FloatVector.fromArray(F, scales, b * 2 * L + L);
            int si = x.blockIndex(t, block + b);
            add(y0, at0, halves(a00), halves(a01), s0, s1, x.scales[si]);
            add(y1, at1, halves(a10), halves(a11), s0, s1, x.scales[si + 1]);
            add(y2, at2, halves(a20), halves(a21), s0, s1, x.scales[si + 2]);
            add(y3, at3, halves(a30), halves(a31), s0, s1, x.scales[si + 3]);
        }
    }

    /// The same with eight-bit weights, of which two products fit into 16 bits.
    private static void tile8(
            short[] wide,
            float[] scales,
            int count,
            Activations x,
            int t,
            int block,
            float[] y0,
            int at0,
            float[] y1,
            int at1,
            float[] y2,
            int at2,
            float[] y3,
            int at3) {
        int[] pairs = x.pairs;
        for (int b = 0; b < count; b++) {
            int at = x.pairIndex(t, block + b);
            int o = b * WIDE;
            IntVector a00 = IntVector.zero(I);
            IntVector a01 = a00;
            IntVector a10 = a00;
            IntVector a11 = a00;
            IntVector a20 = a00;
            IntVector a21 = a00;
            IntVector a30 = a00;
            IntVector a31 = a00;
            for (int p = 0; p < Activations.PAIRS; p += 2, at += 8, o += 8 * L) {
                ShortVector w0 = ShortVector.fromArray(S, wide, o);
                ShortVector w1 = ShortVector.fromArray(S, wide, o + 2 * L);
                ShortVector v0 = ShortVector.fromArray(S, wide, o + 4 * L);
                ShortVector v1 = ShortVector.fromArray(S, wide, o + 6 * L);
                ShortVector x0 = IntVector.broadcast(I, pairs[at]).reinterpretAsShorts();
                ShortVector z0 = IntVector.broadcast(I, pairs[at + 4]).reinterpretAsShorts();
                a00 = a00.add(halves(w0.mul(x0).add(v0.mul(z0))));
                a01 = a01.add(halves(w1.mul(x0).add(v1.mul(z0))));
                ShortVector x1 = IntVector.broadcast(I, pairs[at + 1]).reinterpretAsShorts();
                ShortVector z1 = IntVector.broadcast(I, pairs[at + 5]).reinterpretAsShorts();
                a10 = a10.add(halves(w0.mul(x1).add(v0.mul(z1))));
                a11 = a11.add(halves(w1.mul(x1).add(v1.mul(z1))));
                ShortVector x2 = IntVector.broadcast(I, pairs[at + 2]).reinterpretAsShorts();
                ShortVector z2 = IntVector.broadcast(I, pairs[at + 6]).reinterpretAsShorts();
                a20 = a20.add(halves(w0.mul(x2).add(v0.mul(z2))));
                a21 = a21.add(halves(w1.mul(x2).add(v1.mul(z2))));
                ShortVector x3 = IntVector.broadcast(I, pairs[at + 3]).reinterpretAsShorts();
                ShortVector z3 = IntVector.broadcast(I, pairs[at + 7]).reinterpretAsShorts();
                a30 = a30.add(halves(w0.mul(x3).add(v0.mul(z3))));
                a31 = a31.add(halves(w1.mul(x3).add(v1.mul(z3))));
            }
            FloatVector s0 = FloatVector.fromArray(F, scales, b * 2 * L);
            FloatVector s1 = FloatVector.fromArray(F, scales, b * 2 * L + L);
            int si = x.blockIndex(t, block + b);
            add(y0, at0, a00, a01, s0, s1, x.scales[si]);
            add(y1, at1, a10, a11, s0, s1, x.scales[si + 1]);
            add(y2, at2, a20, a21, s0, s1, x.scales[si + 2]);
            add(y3, at3, a30, a31, s0, s1, x.scales[si + 3]);
        }
    }

    private static void add(
            float[] y,
            int at,
            IntVector dots0,
            IntVector dots1,
            FloatVector scales0,
            FloatVector scales1,
            float scale) {
        times(dots0, scales0.mul(scale), FloatVector.fromArray(F, y, at)).intoArray(y, at);
        times(dots1, scales1.mul(scale), FloatVector.fromArray(F, y, at + L)).intoArray(y, at + L);
    }
}
