package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.VectorKernels.F;
import static dev.penjing.inference.kernel.VectorKernels.HALF;
import static dev.penjing.inference.kernel.VectorKernels.I;
import static dev.penjing.inference.kernel.VectorKernels.L;
import static dev.penjing.inference.kernel.VectorKernels.LITTLE;
import static dev.penjing.inference.kernel.VectorKernels.S;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// A matrix times many rows of activations: bound by arithmetic, so weights are widened to 16 bits
/// once and then meet all rows, four at a time, from the cache nearest to the core.
///
/// Written out flat for the reason that [OneToken] gives; sums pass from step to step in arrays.
final class ManyTokens {
    private static final int VECTOR = 4 * L;

    /// Shorts of a group's block, widened: 16 pairs of columns for 2 L rows.
    private static final int WIDE = Activations.PAIRS * 4 * L;

    /// Blocks that are widened at a time: with the rows' activations they stay in the first cache.
    private static final int CHUNK = 8;

    private static final int TILE = Activations.TILE;

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
        short[] wide = scratch.wide(CHUNK * WIDE);
        float[] scales = scratch.scales(CHUNK * 2 * L);
        int tiles = Math.ceilDiv(x.rows(), TILE);
        boolean four = w.quantization() == Quantization.Q4_0;
        for (int row = from; row < to; row += 2 * L) {
            for (int block = 0; block < w.blocks(); block += CHUNK) {
                int count = Math.min(CHUNK, w.blocks() - block);
                long at = w.offset(row, block);
                if (four) {
                    widen4(w.data(), at, count, wide, scales);
                } else {
                    widen8(w.data(), at, count, wide, scales);
                }
                for (int tile = 0; tile < tiles; tile++) {
                    int t = tile * TILE;
                    int pairAt = x.pairIndex(t, block);
                    int scaleAt = x.blockIndex(t, block);
                    int to0 = yAt + t * stride + row;
                    int rows = Math.min(TILE, x.rows() - t);
                    if (four) {
                        short[] sums = scratch.shorts(CHUNK * TILE * 4 * L);
                        tile4(wide, count, x.pairs, pairAt, sums);
                        add4(sums, scales, count, x.scales, scaleAt, rows, y, to0, stride);
                    } else {
                        int[] sums = scratch.ints(CHUNK * TILE * 2 * L);
                        tile8(wide, count, x.pairs, pairAt, sums);
                        add8(sums, scales, count, x.scales, scaleAt, rows, y, to0, stride);
                    }
                }
            }
        }
    }

    private static void widen4(
            MemorySegment data, long at, int count, short[] wide, float[] scales) {
        for (int b = 0; b < count; b++) {
            for (int v = 0; v < 8; v++, at += VECTOR) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, at, LITTLE);
                // vectors of the lower and of the upper rows take turns
                int o = b * WIDE + (v / 2 * 8 + v % 2) * 2 * L;
                q.and((short) 15).sub((short) 8).intoArray(wide, o);
                q.lanewise(LSHR, 4).and((short) 15).sub((short) 8).intoArray(wide, o + 4 * L);
                q.lanewise(LSHR, 8).and((short) 15).sub((short) 8).intoArray(wide, o + 8 * L);
                q.lanewise(LSHR, 12).sub((short) 8).intoArray(wide, o + 12 * L);
            }
            widenScales(data, at, scales, b * 2 * L);
            at += VECTOR;
        }
    }

    private static void widen8(
            MemorySegment data, long at, int count, short[] wide, float[] scales) {
        for (int b = 0; b < count; b++) {
            for (int v = 0; v < 16; v++, at += VECTOR) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, at, LITTLE);
                int o = b * WIDE + (v / 2 * 4 + v % 2) * 2 * L;
                q.lanewise(LSHL, 8).lanewise(ASHR, 8).intoArray(wide, o);
                q.lanewise(ASHR, 8).intoArray(wide, o + 4 * L);
            }
            widenScales(data, at, scales, b * 2 * L);
            at += VECTOR;
        }
    }

    private static void widenScales(MemorySegment data, long at, float[] to, int i) {
        IntVector scales = IntVector.fromMemorySegment(I, data, at, LITTLE);
        scales.lanewise(LSHL, 16)
                .lanewise(ASHR, 3)
                .and(0x8fffffff)
                .reinterpretAsFloats()
                .mul(HALF)
                .intoArray(to, i);
        scales.lanewise(ASHR, 3)
                .and(0x8fffe000)
                .reinterpretAsFloats()
                .mul(HALF)
                .intoArray(to, i + L);
    }

    /// Four rows of activations times 2 L rows of `count` blocks of four-bit weights: -8 to 7 times
    /// at most 127, sixteen times, fits into 16 bits.
    private static void tile4(short[] wide, int count, int[] pairs, int pairAt, short[] sums) {
        int at = pairAt;
        int o = 0;
        for (int b = 0; b < count; b++) {
            ShortVector a00 = ShortVector.zero(S);
            ShortVector a01 = ShortVector.zero(S);
            ShortVector a10 = ShortVector.zero(S);
            ShortVector a11 = ShortVector.zero(S);
            ShortVector a20 = ShortVector.zero(S);
            ShortVector a21 = ShortVector.zero(S);
            ShortVector a30 = ShortVector.zero(S);
            ShortVector a31 = ShortVector.zero(S);
            for (int p = 0; p < Activations.PAIRS; p++, at += TILE, o += 4 * L) {
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
            int s = b * TILE * 4 * L;
            a00.intoArray(sums, s);
            a01.intoArray(sums, s + 2 * L);
            a10.intoArray(sums, s + 2 * 2 * L);
            a11.intoArray(sums, s + 3 * 2 * L);
            a20.intoArray(sums, s + 4 * 2 * L);
            a21.intoArray(sums, s + 5 * 2 * L);
            a30.intoArray(sums, s + 6 * 2 * L);
            a31.intoArray(sums, s + 7 * 2 * L);
        }
    }

    /// The same with eight-bit weights, of which two products fit into 16 bits.
    private static void tile8(short[] wide, int count, int[] pairs, int pairAt, int[] sums) {
        int at = pairAt;
        int o = 0;
        for (int b = 0; b < count; b++) {
            IntVector a00 = IntVector.zero(I);
            IntVector a01 = IntVector.zero(I);
            IntVector a10 = IntVector.zero(I);
            IntVector a11 = IntVector.zero(I);
            IntVector a20 = IntVector.zero(I);
            IntVector a21 = IntVector.zero(I);
            IntVector a30 = IntVector.zero(I);
            IntVector a31 = IntVector.zero(I);
            for (int p = 0; p < Activations.PAIRS; p += 2, at += 2 * TILE, o += 8 * L) {
                ShortVector w0 = ShortVector.fromArray(S, wide, o);
                ShortVector w1 = ShortVector.fromArray(S, wide, o + 2 * L);
                ShortVector v0 = ShortVector.fromArray(S, wide, o + 4 * L);
                ShortVector v1 = ShortVector.fromArray(S, wide, o + 6 * L);
                ShortVector x0 = IntVector.broadcast(I, pairs[at]).reinterpretAsShorts();
                ShortVector z0 = IntVector.broadcast(I, pairs[at + 4]).reinterpretAsShorts();
                IntVector m00 = w0.mul(x0).add(v0.mul(z0)).reinterpretAsInts();
                IntVector m01 = w1.mul(x0).add(v1.mul(z0)).reinterpretAsInts();
                a00 = a00.add(m00.lanewise(ASHR, 16));
                a01 = a01.add(m01.lanewise(ASHR, 16));
                a00 = a00.add(m00.lanewise(LSHL, 16).lanewise(ASHR, 16));
                a01 = a01.add(m01.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x1 = IntVector.broadcast(I, pairs[at + 1]).reinterpretAsShorts();
                ShortVector z1 = IntVector.broadcast(I, pairs[at + 5]).reinterpretAsShorts();
                IntVector m10 = w0.mul(x1).add(v0.mul(z1)).reinterpretAsInts();
                IntVector m11 = w1.mul(x1).add(v1.mul(z1)).reinterpretAsInts();
                a10 = a10.add(m10.lanewise(ASHR, 16));
                a11 = a11.add(m11.lanewise(ASHR, 16));
                a10 = a10.add(m10.lanewise(LSHL, 16).lanewise(ASHR, 16));
                a11 = a11.add(m11.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x2 = IntVector.broadcast(I, pairs[at + 2]).reinterpretAsShorts();
                ShortVector z2 = IntVector.broadcast(I, pairs[at + 6]).reinterpretAsShorts();
                IntVector m20 = w0.mul(x2).add(v0.mul(z2)).reinterpretAsInts();
                IntVector m21 = w1.mul(x2).add(v1.mul(z2)).reinterpretAsInts();
                a20 = a20.add(m20.lanewise(ASHR, 16));
                a21 = a21.add(m21.lanewise(ASHR, 16));
                a20 = a20.add(m20.lanewise(LSHL, 16).lanewise(ASHR, 16));
                a21 = a21.add(m21.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x3 = IntVector.broadcast(I, pairs[at + 3]).reinterpretAsShorts();
                ShortVector z3 = IntVector.broadcast(I, pairs[at + 7]).reinterpretAsShorts();
                IntVector m30 = w0.mul(x3).add(v0.mul(z3)).reinterpretAsInts();
                IntVector m31 = w1.mul(x3).add(v1.mul(z3)).reinterpretAsInts();
                a30 = a30.add(m30.lanewise(ASHR, 16));
                a31 = a31.add(m31.lanewise(ASHR, 16));
                a30 = a30.add(m30.lanewise(LSHL, 16).lanewise(ASHR, 16));
                a31 = a31.add(m31.lanewise(LSHL, 16).lanewise(ASHR, 16));
            }
            int s = b * TILE * 2 * L;
            a00.intoArray(sums, s);
            a01.intoArray(sums, s + L);
            a10.intoArray(sums, s + 2 * L);
            a11.intoArray(sums, s + 3 * L);
            a20.intoArray(sums, s + 4 * L);
            a21.intoArray(sums, s + 5 * L);
            a30.intoArray(sums, s + 6 * L);
            a31.intoArray(sums, s + 7 * L);
        }
    }

    private static void add4(
            short[] sums,
            float[] scales,
            int count,
            float[] rowScales,
            int scaleAt,
            int rows,
            float[] y,
            int yAt,
            int stride) {
        for (int t = 0; t < rows; t++) {
            int to = yAt + t * stride;
            FloatVector y0 = FloatVector.fromArray(F, y, to);
            FloatVector y1 = FloatVector.fromArray(F, y, to + L);
            for (int b = 0; b < count; b++) {
                int s = (b * TILE + t) * 4 * L;
                IntVector i0 = ShortVector.fromArray(S, sums, s).reinterpretAsInts();
                IntVector i1 = ShortVector.fromArray(S, sums, s + 2 * L).reinterpretAsInts();
                IntVector d0 = i0.lanewise(ASHR, 16).add(i0.lanewise(LSHL, 16).lanewise(ASHR, 16));
                IntVector d1 = i1.lanewise(ASHR, 16).add(i1.lanewise(LSHL, 16).lanewise(ASHR, 16));
                float m = rowScales[scaleAt + b * TILE + t];
                FloatVector s0 = FloatVector.fromArray(F, scales, b * 2 * L).mul(m);
                FloatVector s1 = FloatVector.fromArray(F, scales, b * 2 * L + L).mul(m);
                y0 = ((FloatVector) d0.convert(I2F, 0)).fma(s0, y0);
                y1 = ((FloatVector) d1.convert(I2F, 0)).fma(s1, y1);
            }
            y0.intoArray(y, to);
            y1.intoArray(y, to + L);
        }
    }

    private static void add8(
            int[] sums,
            float[] scales,
            int count,
            float[] rowScales,
            int scaleAt,
            int rows,
            float[] y,
            int yAt,
            int stride) {
        for (int t = 0; t < rows; t++) {
            int to = yAt + t * stride;
            FloatVector y0 = FloatVector.fromArray(F, y, to);
            FloatVector y1 = FloatVector.fromArray(F, y, to + L);
            for (int b = 0; b < count; b++) {
                int s = (b * TILE + t) * 2 * L;
                IntVector d0 = IntVector.fromArray(I, sums, s);
                IntVector d1 = IntVector.fromArray(I, sums, s + L);
                float m = rowScales[scaleAt + b * TILE + t];
                FloatVector s0 = FloatVector.fromArray(F, scales, b * 2 * L).mul(m);
                FloatVector s1 = FloatVector.fromArray(F, scales, b * 2 * L + L).mul(m);
                y0 = ((FloatVector) d0.convert(I2F, 0)).fma(s0, y0);
                y1 = ((FloatVector) d1.convert(I2F, 0)).fma(s1, y1);
            }
            y0.intoArray(y, to);
            y1.intoArray(y, to + L);
        }
    }
}
