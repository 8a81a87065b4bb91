package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.Lanes.F;
import static dev.penjing.inference.kernel.Lanes.HALF;
import static dev.penjing.inference.kernel.Lanes.I;
import static dev.penjing.inference.kernel.Lanes.L;
import static dev.penjing.inference.kernel.Lanes.LITTLE;
import static dev.penjing.inference.kernel.Lanes.S;
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
            PackedMatrix w, LaneActivations x, int t, float[] y, int yAt, int from, int to) {
        boolean four = w.format() == WeightFormat.Q4_0;
        int bytes = w.groupBlockBytes();
        int first = x.blockIndex(t, 0);
        for (int row = from; row < to; row += 2 * L) {
            long at = w.offset(row, 0);
            if (four) {
                q4(w.data(), at, w.blocks(), bytes, x, first, y, yAt + row);
            } else {
                q8(w.data(), at, w.blocks(), x, first, y, yAt + row);
            }
        }
    }

    /// Each half of a lane's columns is summed in 16 bits, and once a block the two are added in
    /// the high one. Weights of -8 to 7 times activations of at most 127, 32 times, fit into 16
    /// bits; nibbles are 8 more than the weights, so the sum starts with -8 x the activations' sum.
    /// What overflows on the way comes back: sums are right modulo 2^16.
    ///
    /// Nibbles are not masked. A lane is the number n0 + 16 n1 + ... + 16^7 n7; shifted by k
    /// nibbles, its halves are numbers that begin with nk and nk+4. Let the lane's activations be
    /// x0 to x7, and the low halves be multiplied by x0, x1 - 16 x0, x2 - 16 x1 and x3 - 16 x2 in
    /// turn: all cancels but n0 x0 + ... + n3 x3, and 16 x3 (n4 + 16 n5 + 256 n6), which came in
    /// from the high half. That is 16 x3 times the whole high half, modulo 2^16, and so goes away
    /// when the high halves are multiplied by x4 - 16 x3, x5 - 16 x4 and so on ([LaneActivations]
    /// keeps these "steps"), and both are added up.
    ///
    /// Without a loop over the vectors: it would be entered for four turns, with checks of its
    /// bounds that cost as much as a turn. Each vector is read a block ahead, right after its
    /// register's last use: a quarter faster from the cache than reads next to their use. Reads of
    /// a whole block in a row would be slow from memory.
    static void q4(
            MemorySegment data,
            long at,
            int blocks,
            int bytes,
            LaneActivations x,
            int first,
            float[] y,
            int yAt) {
        int[] steps = x.steps;
        long p = at;
        FloatVector y0 = FloatVector.fromArray(F, y, yAt);
        FloatVector y1 = FloatVector.fromArray(F, y, yAt + L);
        IntVector q0 = IntVector.fromMemorySegment(I, data, p + 0 * VECTOR, LITTLE);
        IntVector r0 = IntVector.fromMemorySegment(I, data, p + 1 * VECTOR, LITTLE);
        IntVector q1 = IntVector.fromMemorySegment(I, data, p + 2 * VECTOR, LITTLE);
        IntVector r1 = IntVector.fromMemorySegment(I, data, p + 3 * VECTOR, LITTLE);
        IntVector q2 = IntVector.fromMemorySegment(I, data, p + 4 * VECTOR, LITTLE);
        IntVector r2 = IntVector.fromMemorySegment(I, data, p + 5 * VECTOR, LITTLE);
        IntVector q3 = IntVector.fromMemorySegment(I, data, p + 6 * VECTOR, LITTLE);
        IntVector r3 = IntVector.fromMemorySegment(I, data, p + 7 * VECTOR, LITTLE);
        IntVector s = IntVector.fromMemorySegment(I, data, p + 8 * VECTOR, LITTLE);
        // behind the group comes the next one; the matrix's last block is read twice
        long last = data.byteSize() - bytes;
        for (int b = 0; b < blocks; b++) {
            p = Math.min(p + bytes, last);
            ShortVector a0 = IntVector.broadcast(I, x.offsets[first + b]).reinterpretAsShorts();
            ShortVector a1 = a0;
            int g = (first + b) * LaneActivations.PAIRS;
            ShortVector x0 = IntVector.broadcast(I, steps[g + 0]).reinterpretAsShorts();
            a0 = a0.add(q0.reinterpretAsShorts().mul(x0));
            a1 = a1.add(r0.reinterpretAsShorts().mul(x0));
            ShortVector x1 = IntVector.broadcast(I, steps[g + 1]).reinterpretAsShorts();
            a0 = a0.add(q0.lanewise(LSHR, 4).reinterpretAsShorts().mul(x1));
            a1 = a1.add(r0.lanewise(LSHR, 4).reinterpretAsShorts().mul(x1));
            ShortVector x2 = IntVector.broadcast(I, steps[g + 2]).reinterpretAsShorts();
            a0 = a0.add(q0.lanewise(LSHR, 8).reinterpretAsShorts().mul(x2));
            a1 = a1.add(r0.lanewise(LSHR, 8).reinterpretAsShorts().mul(x2));
            ShortVector x3 = IntVector.broadcast(I, steps[g + 3]).reinterpretAsShorts();
            a0 = a0.add(q0.lanewise(LSHR, 12).reinterpretAsShorts().mul(x3));
            a1 = a1.add(r0.lanewise(LSHR, 12).reinterpretAsShorts().mul(x3));
            q0 = IntVector.fromMemorySegment(I, data, p + 0 * VECTOR, LITTLE);
            r0 = IntVector.fromMemorySegment(I, data, p + 1 * VECTOR, LITTLE);
            ShortVector x4 = IntVector.broadcast(I, steps[g + 4]).reinterpretAsShorts();
            a0 = a0.add(q1.reinterpretAsShorts().mul(x4));
            a1 = a1.add(r1.reinterpretAsShorts().mul(x4));
            ShortVector x5 = IntVector.broadcast(I, steps[g + 5]).reinterpretAsShorts();
            a0 = a0.add(q1.lanewise(LSHR, 4).reinterpretAsShorts().mul(x5));
            a1 = a1.add(r1.lanewise(LSHR, 4).reinterpretAsShorts().mul(x5));
            ShortVector x6 = IntVector.broadcast(I, steps[g + 6]).reinterpretAsShorts();
            a0 = a0.add(q1.lanewise(LSHR, 8).reinterpretAsShorts().mul(x6));
            a1 = a1.add(r1.lanewise(LSHR, 8).reinterpretAsShorts().mul(x6));
            ShortVector x7 = IntVector.broadcast(I, steps[g + 7]).reinterpretAsShorts();
            a0 = a0.add(q1.lanewise(LSHR, 12).reinterpretAsShorts().mul(x7));
            a1 = a1.add(r1.lanewise(LSHR, 12).reinterpretAsShorts().mul(x7));
            q1 = IntVector.fromMemorySegment(I, data, p + 2 * VECTOR, LITTLE);
            r1 = IntVector.fromMemorySegment(I, data, p + 3 * VECTOR, LITTLE);
            ShortVector x8 = IntVector.broadcast(I, steps[g + 8]).reinterpretAsShorts();
            a0 = a0.add(q2.reinterpretAsShorts().mul(x8));
            a1 = a1.add(r2.reinterpretAsShorts().mul(x8));
            ShortVector x9 = IntVector.broadcast(I, steps[g + 9]).reinterpretAsShorts();
            a0 = a0.add(q2.lanewise(LSHR, 4).reinterpretAsShorts().mul(x9));
            a1 = a1.add(r2.lanewise(LSHR, 4).reinterpretAsShorts().mul(x9));
            ShortVector x10 = IntVector.broadcast(I, steps[g + 10]).reinterpretAsShorts();
            a0 = a0.add(q2.lanewise(LSHR, 8).reinterpretAsShorts().mul(x10));
            a1 = a1.add(r2.lanewise(LSHR, 8).reinterpretAsShorts().mul(x10));
            ShortVector x11 = IntVector.broadcast(I, steps[g + 11]).reinterpretAsShorts();
            a0 = a0.add(q2.lanewise(LSHR, 12).reinterpretAsShorts().mul(x11));
            a1 = a1.add(r2.lanewise(LSHR, 12).reinterpretAsShorts().mul(x11));
            q2 = IntVector.fromMemorySegment(I, data, p + 4 * VECTOR, LITTLE);
            r2 = IntVector.fromMemorySegment(I, data, p + 5 * VECTOR, LITTLE);
            ShortVector x12 = IntVector.broadcast(I, steps[g + 12]).reinterpretAsShorts();
            a0 = a0.add(q3.reinterpretAsShorts().mul(x12));
            a1 = a1.add(r3.reinterpretAsShorts().mul(x12));
            ShortVector x13 = IntVector.broadcast(I, steps[g + 13]).reinterpretAsShorts();
            a0 = a0.add(q3.lanewise(LSHR, 4).reinterpretAsShorts().mul(x13));
            a1 = a1.add(r3.lanewise(LSHR, 4).reinterpretAsShorts().mul(x13));
            ShortVector x14 = IntVector.broadcast(I, steps[g + 14]).reinterpretAsShorts();
            a0 = a0.add(q3.lanewise(LSHR, 8).reinterpretAsShorts().mul(x14));
            a1 = a1.add(r3.lanewise(LSHR, 8).reinterpretAsShorts().mul(x14));
            ShortVector x15 = IntVector.broadcast(I, steps[g + 15]).reinterpretAsShorts();
            a0 = a0.add(q3.lanewise(LSHR, 12).reinterpretAsShorts().mul(x15));
            a1 = a1.add(r3.lanewise(LSHR, 12).reinterpretAsShorts().mul(x15));
            q3 = IntVector.fromMemorySegment(I, data, p + 6 * VECTOR, LITTLE);
            r3 = IntVector.fromMemorySegment(I, data, p + 7 * VECTOR, LITTLE);
            IntVector d0 = a0.reinterpretAsInts().mul(0x10001).and(0xffff0000);
            IntVector d1 = a1.reinterpretAsInts().mul(0x10001).and(0xffff0000);
            IntVector scales = s;
            s = IntVector.fromMemorySegment(I, data, p + 8 * VECTOR, LITTLE);
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

    /// Two products of eight bits fit into a 16-bit lane, not more: they are added up as ints. Each
    /// pair of vectors is read a turn ahead, which is a quarter faster from memory; two or three
    /// turns ahead are not.
    static void q8(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int first,
            float[] y,
            int yAt) {
        int[] pairs = x.pairs;
        long p = at;
        FloatVector y0 = FloatVector.fromArray(F, y, yAt);
        FloatVector y1 = FloatVector.fromArray(F, y, yAt + L);
        int pair = first * LaneActivations.PAIRS;
        // behind the last block is nothing to read ahead
        long last = data.byteSize() - 2 * VECTOR;
        ShortVector next0 = ShortVector.fromMemorySegment(S, data, p, LITTLE);
        ShortVector next1 = ShortVector.fromMemorySegment(S, data, p + VECTOR, LITTLE);
        for (int b = 0; b < blocks; b++, p += VECTOR) {
            IntVector a0 = IntVector.zero(I);
            IntVector a1 = IntVector.zero(I);
            for (int v = 0; v < 8; v++, p += 2 * VECTOR, pair += 2) {
                ShortVector q0 = next0;
                ShortVector q1 = next1;
                // behind a block's last pair are its scales
                long next = Math.min(p + (v == 7 ? 3 : 2) * VECTOR, last);
                next0 = ShortVector.fromMemorySegment(S, data, next, LITTLE);
                next1 = ShortVector.fromMemorySegment(S, data, next + VECTOR, LITTLE);
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
            IntVector scales = IntVector.fromMemorySegment(I, data, p, LITTLE);
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
