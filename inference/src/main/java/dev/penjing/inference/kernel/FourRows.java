package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.LaneActivations.PAIRS;
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

/// Four rows of activations times weights.
///
/// Written out flat for the reason that [OneToken] gives, and in loops small enough for the
/// machine's registers and for the first compiler, which gives up on methods with too many values.
final class FourRows {
    private static final int VECTOR = 4 * L;

    private FourRows() {}

    /// Adds the products with a group of 2 L rows of weights to `sums`, [4][2 L]; see [OneToken#q4]
    /// for the arithmetic.
    ///
    /// @param step rows of a tile of activations
    static void q4(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int pairAt,
            int blockAt,
            int step,
            float[] sums) {
        int[] steps = x.steps;
        int[] offsets = x.offsets;
        float[] rowScales = x.scales;
        long p = at;
        int g = pairAt;
        int s = blockAt;
        for (int b = 0; b < blocks; b++, s += step, g += (step - 1) * PAIRS) {
            ShortVector a0 = IntVector.broadcast(I, offsets[s + 0]).reinterpretAsShorts();
            ShortVector b0 = a0;
            ShortVector a1 = IntVector.broadcast(I, offsets[s + 1]).reinterpretAsShorts();
            ShortVector b1 = a1;
            ShortVector a2 = IntVector.broadcast(I, offsets[s + 2]).reinterpretAsShorts();
            ShortVector b2 = a2;
            ShortVector a3 = IntVector.broadcast(I, offsets[s + 3]).reinterpretAsShorts();
            ShortVector b3 = a3;
            for (int v = 0; v < 4; v++, p += 2 * VECTOR) {
                IntVector q = IntVector.fromMemorySegment(I, data, p, LITTLE);
                IntVector r = IntVector.fromMemorySegment(I, data, p + VECTOR, LITTLE);
                for (int n = 0; n < 4; n++, g++) {
                    ShortVector w = q.reinterpretAsShorts();
                    ShortVector z = r.reinterpretAsShorts();
                    q = q.lanewise(LSHR, 4);
                    r = r.lanewise(LSHR, 4);
                    ShortVector x0 = IntVector.broadcast(I, steps[g]).reinterpretAsShorts();
                    a0 = a0.add(w.mul(x0));
                    b0 = b0.add(z.mul(x0));
                    ShortVector x1 = IntVector.broadcast(I, steps[g + PAIRS]).reinterpretAsShorts();
                    a1 = a1.add(w.mul(x1));
                    b1 = b1.add(z.mul(x1));
                    ShortVector x2 =
                            IntVector.broadcast(I, steps[g + 2 * PAIRS]).reinterpretAsShorts();
                    a2 = a2.add(w.mul(x2));
                    b2 = b2.add(z.mul(x2));
                    ShortVector x3 =
                            IntVector.broadcast(I, steps[g + 3 * PAIRS]).reinterpretAsShorts();
                    a3 = a3.add(w.mul(x3));
                    b3 = b3.add(z.mul(x3));
                }
            }
            IntVector scales = IntVector.fromMemorySegment(I, data, p, LITTLE);
            p += VECTOR;
            FloatVector low =
                    scales.lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffffff)
                            .reinterpretAsFloats();
            FloatVector high = scales.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
            float m0 = rowScales[s + 0] * (HALF / 65536);
            ((FloatVector) a0.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m0), FloatVector.fromArray(F, sums, 0))
                    .intoArray(sums, 0);
            ((FloatVector) b0.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m0), FloatVector.fromArray(F, sums, L))
                    .intoArray(sums, L);
            float m1 = rowScales[s + 1] * (HALF / 65536);
            ((FloatVector) a1.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m1), FloatVector.fromArray(F, sums, 2 * L))
                    .intoArray(sums, 2 * L);
            ((FloatVector) b1.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m1), FloatVector.fromArray(F, sums, 3 * L))
                    .intoArray(sums, 3 * L);
            float m2 = rowScales[s + 2] * (HALF / 65536);
            ((FloatVector) a2.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m2), FloatVector.fromArray(F, sums, 4 * L))
                    .intoArray(sums, 4 * L);
            ((FloatVector) b2.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m2), FloatVector.fromArray(F, sums, 5 * L))
                    .intoArray(sums, 5 * L);
            float m3 = rowScales[s + 3] * (HALF / 65536);
            ((FloatVector) a3.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m3), FloatVector.fromArray(F, sums, 6 * L))
                    .intoArray(sums, 6 * L);
            ((FloatVector) b3.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m3), FloatVector.fromArray(F, sums, 7 * L))
                    .intoArray(sums, 7 * L);
        }
    }

    /// Four rows times eight-bit weights, of which two products fit into 16 bits.
    static void q8(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int pairAt,
            int blockAt,
            int step,
            float[] sums) {
        int[] pairs = x.pairs;
        float[] rowScales = x.scales;
        long p = at;
        int g = pairAt;
        int s = blockAt;
        for (int b = 0; b < blocks; b++, s += step, g += (step - 1) * PAIRS) {
            IntVector a0 = IntVector.zero(I);
            IntVector b0 = IntVector.zero(I);
            IntVector a1 = IntVector.zero(I);
            IntVector b1 = IntVector.zero(I);
            IntVector a2 = IntVector.zero(I);
            IntVector b2 = IntVector.zero(I);
            IntVector a3 = IntVector.zero(I);
            IntVector b3 = IntVector.zero(I);
            for (int v = 0; v < 8; v++, p += 2 * VECTOR, g += 2) {
                ShortVector q = ShortVector.fromMemorySegment(S, data, p, LITTLE);
                ShortVector r = ShortVector.fromMemorySegment(S, data, p + VECTOR, LITTLE);
                ShortVector q0 = q.lanewise(LSHL, 8).lanewise(ASHR, 8);
                ShortVector q1 = q.lanewise(ASHR, 8);
                ShortVector r0 = r.lanewise(LSHL, 8).lanewise(ASHR, 8);
                ShortVector r1 = r.lanewise(ASHR, 8);
                ShortVector x0 = IntVector.broadcast(I, pairs[g]).reinterpretAsShorts();
                ShortVector z0 = IntVector.broadcast(I, pairs[g + 1]).reinterpretAsShorts();
                IntVector m0 = q0.mul(x0).add(q1.mul(z0)).reinterpretAsInts();
                IntVector n0 = r0.mul(x0).add(r1.mul(z0)).reinterpretAsInts();
                a0 = a0.add(m0.lanewise(ASHR, 16));
                b0 = b0.add(n0.lanewise(ASHR, 16));
                a0 = a0.add(m0.lanewise(LSHL, 16).lanewise(ASHR, 16));
                b0 = b0.add(n0.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x1 = IntVector.broadcast(I, pairs[g + PAIRS]).reinterpretAsShorts();
                ShortVector z1 = IntVector.broadcast(I, pairs[g + PAIRS + 1]).reinterpretAsShorts();
                IntVector m1 = q0.mul(x1).add(q1.mul(z1)).reinterpretAsInts();
                IntVector n1 = r0.mul(x1).add(r1.mul(z1)).reinterpretAsInts();
                a1 = a1.add(m1.lanewise(ASHR, 16));
                b1 = b1.add(n1.lanewise(ASHR, 16));
                a1 = a1.add(m1.lanewise(LSHL, 16).lanewise(ASHR, 16));
                b1 = b1.add(n1.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x2 = IntVector.broadcast(I, pairs[g + 2 * PAIRS]).reinterpretAsShorts();
                ShortVector z2 =
                        IntVector.broadcast(I, pairs[g + 2 * PAIRS + 1]).reinterpretAsShorts();
                IntVector m2 = q0.mul(x2).add(q1.mul(z2)).reinterpretAsInts();
                IntVector n2 = r0.mul(x2).add(r1.mul(z2)).reinterpretAsInts();
                a2 = a2.add(m2.lanewise(ASHR, 16));
                b2 = b2.add(n2.lanewise(ASHR, 16));
                a2 = a2.add(m2.lanewise(LSHL, 16).lanewise(ASHR, 16));
                b2 = b2.add(n2.lanewise(LSHL, 16).lanewise(ASHR, 16));
                ShortVector x3 = IntVector.broadcast(I, pairs[g + 3 * PAIRS]).reinterpretAsShorts();
                ShortVector z3 =
                        IntVector.broadcast(I, pairs[g + 3 * PAIRS + 1]).reinterpretAsShorts();
                IntVector m3 = q0.mul(x3).add(q1.mul(z3)).reinterpretAsInts();
                IntVector n3 = r0.mul(x3).add(r1.mul(z3)).reinterpretAsInts();
                a3 = a3.add(m3.lanewise(ASHR, 16));
                b3 = b3.add(n3.lanewise(ASHR, 16));
                a3 = a3.add(m3.lanewise(LSHL, 16).lanewise(ASHR, 16));
                b3 = b3.add(n3.lanewise(LSHL, 16).lanewise(ASHR, 16));
            }
            IntVector scales = IntVector.fromMemorySegment(I, data, p, LITTLE);
            p += VECTOR;
            FloatVector low =
                    scales.lanewise(LSHL, 16)
                            .lanewise(ASHR, 3)
                            .and(0x8fffffff)
                            .reinterpretAsFloats();
            FloatVector high = scales.lanewise(ASHR, 3).and(0x8fffe000).reinterpretAsFloats();
            float f0 = rowScales[s + 0] * HALF;
            ((FloatVector) a0.convert(I2F, 0))
                    .fma(low.mul(f0), FloatVector.fromArray(F, sums, 0))
                    .intoArray(sums, 0);
            ((FloatVector) b0.convert(I2F, 0))
                    .fma(high.mul(f0), FloatVector.fromArray(F, sums, L))
                    .intoArray(sums, L);
            float f1 = rowScales[s + 1] * HALF;
            ((FloatVector) a1.convert(I2F, 0))
                    .fma(low.mul(f1), FloatVector.fromArray(F, sums, 2 * L))
                    .intoArray(sums, 2 * L);
            ((FloatVector) b1.convert(I2F, 0))
                    .fma(high.mul(f1), FloatVector.fromArray(F, sums, 3 * L))
                    .intoArray(sums, 3 * L);
            float f2 = rowScales[s + 2] * HALF;
            ((FloatVector) a2.convert(I2F, 0))
                    .fma(low.mul(f2), FloatVector.fromArray(F, sums, 4 * L))
                    .intoArray(sums, 4 * L);
            ((FloatVector) b2.convert(I2F, 0))
                    .fma(high.mul(f2), FloatVector.fromArray(F, sums, 5 * L))
                    .intoArray(sums, 5 * L);
            float f3 = rowScales[s + 3] * HALF;
            ((FloatVector) a3.convert(I2F, 0))
                    .fma(low.mul(f3), FloatVector.fromArray(F, sums, 6 * L))
                    .intoArray(sums, 6 * L);
            ((FloatVector) b3.convert(I2F, 0))
                    .fma(high.mul(f3), FloatVector.fromArray(F, sums, 7 * L))
                    .intoArray(sums, 7 * L);
        }
    }
}
