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

/// A matrix times one row of activations: bound by memory, so every byte is read once, in order.
/// For the first of a few rows, that is; the others find the weights in the cache.
///
/// Written out flat: the compiler stops inlining our own methods in a method with this many vector
/// operations (NodeCountInliningCutoff), and a vector that is passed to a method that is not
/// inlined costs an object.
final class OneToken {
    private static final int VECTOR = 4 * L;

    private OneToken() {}

    /// Row `t` of activations, whose tiles are of one row, times the rows of weights from `from` to
    /// `to`. Each group of rows is a call, so that the compiler soon knows the method as hot: a
    /// matrix that is used once a token would be read by slow code for hundreds of tokens.
    static void product(
            PackedMatrix w, Activations x, int t, float[] y, int yAt, int from, int to) {
        boolean four = w.quantization() == Quantization.Q4_0;
        int bytes = w.groupBlockBytes();
        int first = x.blockIndex(t, 0);
        for (int row = from; row < to; row += 2 * L) {
            long at = w.offset(row, 0);
            if (four) {
                q4(w.data(), at, w.blocks(), bytes, x, first, y, yAt + row);
            } else {
                q8(w.data(), at, w.blocks(), bytes, x, first, y, yAt + row);
            }
        }
    }

    /// Each half of a block's columns is summed in a 16-bit lane, and once a block the two are
    /// added in the high one. Weights of -8 to 7 times activations of at most 127, 32 times, fit
    /// into 16 bits; nibbles are 8 more than the weights, so the sum starts with -8 x the
    /// activations' sum. What overflows on the way comes back: sums are right modulo 2^16.
    private static void q4(
            MemorySegment data,
            long at,
            int blocks,
            int bytes,
            Activations x,
            int first,
            float[] y,
            int yAt) {
        int[] pairs = x.pairs;
        long p = at;
        FloatVector y0 = FloatVector.fromArray(F, y, yAt);
        FloatVector y1 = FloatVector.fromArray(F, y, yAt + L);
        for (int b = 0; b < blocks; b++, p += bytes) {
            ShortVector a0 = IntVector.broadcast(I, x.offsets[first + b]).reinterpretAsShorts();
            ShortVector a1 = a0;
            for (int v = 0; v < 4; v++) {
                long q = p + v * 2 * VECTOR;
                int pair = (first + b) * Activations.PAIRS + 4 * v;
                ShortVector q0 = ShortVector.fromMemorySegment(S, data, q, LITTLE);
                ShortVector q1 = ShortVector.fromMemorySegment(S, data, q + VECTOR, LITTLE);
                ShortVector x0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
                ShortVector x2 = IntVector.broadcast(I, pairs[pair + 2]).reinterpretAsShorts();
                ShortVector x3 = IntVector.broadcast(I, pairs[pair + 3]).reinterpretAsShorts();
                a0 = a0.add(q0.and((short) 15).mul(x0));
                a1 = a1.add(q1.and((short) 15).mul(x0));
                a0 = a0.add(q0.lanewise(LSHR, 4).and((short) 15).mul(x1));
                a1 = a1.add(q1.lanewise(LSHR, 4).and((short) 15).mul(x1));
                a0 = a0.add(q0.lanewise(LSHR, 8).and((short) 15).mul(x2));
                a1 = a1.add(q1.lanewise(LSHR, 8).and((short) 15).mul(x2));
                a0 = a0.add(q0.lanewise(LSHR, 12).mul(x3));
                a1 = a1.add(q1.lanewise(LSHR, 12).mul(x3));
            }
            IntVector i0 = a0.reinterpretAsInts();
            IntVector i1 = a1.reinterpretAsInts();
            IntVector d0 = i0.add(i0.lanewise(LSHL, 16)).and(0xffff0000);
            IntVector d1 = i1.add(i1.lanewise(LSHL, 16)).and(0xffff0000);
            IntVector scales = IntVector.fromMemorySegment(I, data, p + 8 * VECTOR, LITTLE);
            FloatVector s0 =
                    scales.lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffffff)
                            .reinterpretAsFloats();
            FloatVector s1 = scales.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
            float m = x.scales[first + b] * (HALF / 65536);
            y0 = ((FloatVector) d0.convert(I2F, 0)).fma(s0.mul(m), y0);
            y1 = ((FloatVector) d1.convert(I2F, 0)).fma(s1.mul(m), y1);
        }
        y0.intoArray(y, yAt);
        y1.intoArray(y, yAt + L);
    }

    /// Two products of eight bits fit into a 16-bit lane, not more: they are added up as ints.
    private static void q8(
            MemorySegment data,
            long at,
            int blocks,
            int bytes,
            Activations x,
            int first,
            float[] y,
            int yAt) {
        int[] pairs = x.pairs;
        long p = at;
        FloatVector y0 = FloatVector.fromArray(F, y, yAt);
        FloatVector y1 = FloatVector.fromArray(F, y, yAt + L);
        for (int b = 0; b < blocks; b++, p += bytes) {
            IntVector a0 = IntVector.zero(I);
            IntVector a1 = IntVector.zero(I);
            for (int v = 0; v < 8; v++) {
                long q = p + v * 2 * VECTOR;
                int pair = (first + b) * Activations.PAIRS + 2 * v;
                ShortVector q0 = ShortVector.fromMemorySegment(S, data, q, LITTLE);
                ShortVector q1 = ShortVector.fromMemorySegment(S, data, q + VECTOR, LITTLE);
                ShortVector x0 = IntVector.broadcast(I, pairs[pair]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I, pairs[pair + 1]).reinterpretAsShorts();
                IntVector m0 =
                        q0.lanewise(LSHL, 8)
                                .lanewise(ASHR, 8)
                                .mul(x0)
                                .add(q0.lanewise(ASHR, 8).mul(x1))
                                .reinterpretAsInts();
                IntVector m1 =
                        q1.lanewise(LSHL, 8)
                                .lanewise(ASHR, 8)
                                .mul(x0)
                                .add(q1.lanewise(ASHR, 8).mul(x1))
                                .reinterpretAsInts();
                a0 = a0.add(m0.lanewise(ASHR, 16));
                a1 = a1.add(m1.lanewise(ASHR, 16));
                a0 = a0.add(m0.lanewise(LSHL, 16).lanewise(ASHR, 16));
                a1 = a1.add(m1.lanewise(LSHL, 16).lanewise(ASHR, 16));
            }
            IntVector scales = IntVector.fromMemorySegment(I, data, p + 16 * VECTOR, LITTLE);
            FloatVector s0 =
                    scales.lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffffff)
                            .reinterpretAsFloats();
            FloatVector s1 = scales.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
            float m = x.scales[first + b] * HALF;
            y0 = ((FloatVector) a0.convert(I2F, 0)).fma(s0.mul(m), y0);
            y1 = ((FloatVector) a1.convert(I2F, 0)).fma(s1.mul(m), y1);
        }
        y0.intoArray(y, yAt);
        y1.intoArray(y, yAt + L);
    }
}
