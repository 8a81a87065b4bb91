package dev.penjing.inference.kernel;

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

/// A matrix times one row of activations: bound by memory, so every byte is read once, in order.
final class OneToken {
    private static final int VECTOR = 4 * L;

    private OneToken() {}

    /// A nibble (0 to 15) times an activation (at most 127) fits 16 times into a 16-bit lane, so
    /// that the eight products of each half of a block's columns are summed there; once a block the
    /// halves are added up as ints and 8 x the activations' sum is taken off.
    static void q4(PackedMatrix w, Activations x, float[] y, int yAt, int from, int to) {
        MemorySegment data = w.data();
        int[] pairs = x.pairs;
        int blocks = w.blocks();
        int bytes = w.groupBlockBytes();
        for (int row = from; row < to; row += 2 * L) {
            long p = w.offset(row, 0);
            FloatVector y0 = FloatVector.fromArray(F, y, yAt + row);
            FloatVector y1 = FloatVector.fromArray(F, y, yAt + row + L);
            for (int b = 0; b < blocks; b++, p += bytes) {
                ShortVector a0 = ShortVector.zero(S);
                ShortVector a1 = ShortVector.zero(S);
                int at = b * Activations.PAIRS;
                for (int v = 0; v < 4; v++) {
                    ShortVector q0 = ShortVector.fromMemorySegment(S, data, p + v * 2 * VECTOR, LITTLE);
                    ShortVector q1 =
                            ShortVector.fromMemorySegment(S, data, p + v * 2 * VECTOR + VECTOR, LITTLE);
                    ShortVector x0 = pair(pairs, at + 4 * v);
                    ShortVector x1 = pair(pairs, at + 4 * v + 1);
                    ShortVector x2 = pair(pairs, at + 4 * v + 2);
                    ShortVector x3 = pair(pairs, at + 4 * v + 3);
                    a0 = a0.add(q0.and((short) 15).mul(x0));
                    a1 = a1.add(q1.and((short) 15).mul(x0));
                    a0 = a0.add(q0.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(x1));
                    a1 = a1.add(q1.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(x1));
                    a0 = a0.add(q0.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(x2));
                    a1 = a1.add(q1.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(x2));
                    a0 = a0.add(q0.lanewise(VectorOperators.LSHR, 12).mul(x3));
                    a1 = a1.add(q1.lanewise(VectorOperators.LSHR, 12).mul(x3));
                }
                IntVector scales = IntVector.fromMemorySegment(I, data, p + 8 * VECTOR, LITTLE);
                float m = x.scales[b] * HALF;
                int sum = x.sums[b];
                y0 = times(halves(a0).sub(sum), low(scales).mul(m), y0);
                y1 = times(halves(a1).sub(sum), high(scales).mul(m), y1);
            }
            y0.intoArray(y, yAt + row);
            y1.intoArray(y, yAt + row + L);
        }
    }

    /// Two products of eight bits fit into a 16-bit lane, not more: they are added up as ints.
    static void q8(PackedMatrix w, Activations x, float[] y, int yAt, int from, int to) {
        MemorySegment data = w.data();
        int[] pairs = x.pairs;
        int blocks = w.blocks();
        int bytes = w.groupBlockBytes();
        for (int row = from; row < to; row += 2 * L) {
            long p = w.offset(row, 0);
            FloatVector y0 = FloatVector.fromArray(F, y, yAt + row);
            FloatVector y1 = FloatVector.fromArray(F, y, yAt + row + L);
            for (int b = 0; b < blocks; b++, p += bytes) {
                IntVector a0 = IntVector.zero(I);
                IntVector a1 = IntVector.zero(I);
                int at = b * Activations.PAIRS;
                for (int v = 0; v < 8; v++) {
                    ShortVector q0 = ShortVector.fromMemorySegment(S, data, p + v * 2 * VECTOR, LITTLE);
                    ShortVector q1 =
                            ShortVector.fromMemorySegment(S, data, p + v * 2 * VECTOR + VECTOR, LITTLE);
                    ShortVector x0 = pair(pairs, at + 2 * v);
                    ShortVector x1 = pair(pairs, at + 2 * v + 1);
                    a0 = a0.add(halves(even(q0).mul(x0).add(odd(q0).mul(x1))));
                    a1 = a1.add(halves(even(q1).mul(x0).add(odd(q1).mul(x1))));
                }
                IntVector scales = IntVector.fromMemorySegment(I, data, p + 16 * VECTOR, LITTLE);
                float m = x.scales[b] * HALF;
                y0 = times(a0, low(scales).mul(m), y0);
                y1 = times(a1, high(scales).mul(m), y1);
            }
            y0.intoArray(y, yAt + row);
            y1.intoArray(y, yAt + row + L);
        }
    }

    private static ShortVector pair(int[] pairs, int at) {
        return IntVector.broadcast(I, pairs[at]).reinterpretAsShorts();
    }

    static ShortVector even(ShortVector bytes) {
        return bytes.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
    }

    static ShortVector odd(ShortVector bytes) {
        return bytes.lanewise(VectorOperators.ASHR, 8);
    }

    /// The two 16-bit halves of each lane, added up.
    static IntVector halves(ShortVector sums) {
        IntVector v = sums.reinterpretAsInts();
        return v.lanewise(VectorOperators.ASHR, 16)
                .add(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
    }

    static FloatVector times(IntVector dots, FloatVector scales, FloatVector sum) {
        return ((FloatVector) dots.convert(VectorOperators.I2F, 0)).fma(scales, sum);
    }

    /// Float16 scales (never negative nor infinite as read here: see `Packer`) but for 2^112.
    static FloatVector low(IntVector scales) {
        return scales.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 3)
                .and(0x8fffffff)
                .reinterpretAsFloats();
    }

    static FloatVector high(IntVector scales) {
        return scales.lanewise(VectorOperators.ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
    }
}
