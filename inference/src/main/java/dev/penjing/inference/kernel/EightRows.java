package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.LaneActivations.PAIRS;
import static dev.penjing.inference.kernel.Lanes.F;
import static dev.penjing.inference.kernel.Lanes.HALF;
import static dev.penjing.inference.kernel.Lanes.I;
import static dev.penjing.inference.kernel.Lanes.L;
import static dev.penjing.inference.kernel.Lanes.LITTLE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// Eight rows of activations times four-bit weights, where there are 32 vector registers.
///
/// Written out flat for the reason that [OneToken] gives, and in loops small enough for the
/// machine's registers and for the first compiler, which gives up on methods with too many values.
final class EightRows {
    private static final int VECTOR = 4 * L;

    private EightRows() {}

    /// Adds the products with a group of 2 L rows of weights to `sums`, [8][2 L]; see [OneToken#q4]
    /// for the arithmetic.
    static void q4(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int pairAt,
            int blockAt,
            float[] sums) {
        int[] steps = x.steps;
        int[] offsets = x.offsets;
        float[] rowScales = x.scales;
        long p = at;
        int g = pairAt;
        int s = blockAt;
        for (int b = 0; b < blocks; b++, s += 8, g += 7 * PAIRS) {
            ShortVector a0 = IntVector.broadcast(I, offsets[s + 0]).reinterpretAsShorts();
            ShortVector b0 = a0;
            ShortVector a1 = IntVector.broadcast(I, offsets[s + 1]).reinterpretAsShorts();
            ShortVector b1 = a1;
            ShortVector a2 = IntVector.broadcast(I, offsets[s + 2]).reinterpretAsShorts();
            ShortVector b2 = a2;
            ShortVector a3 = IntVector.broadcast(I, offsets[s + 3]).reinterpretAsShorts();
            ShortVector b3 = a3;
            ShortVector a4 = IntVector.broadcast(I, offsets[s + 4]).reinterpretAsShorts();
            ShortVector b4 = a4;
            ShortVector a5 = IntVector.broadcast(I, offsets[s + 5]).reinterpretAsShorts();
            ShortVector b5 = a5;
            ShortVector a6 = IntVector.broadcast(I, offsets[s + 6]).reinterpretAsShorts();
            ShortVector b6 = a6;
            ShortVector a7 = IntVector.broadcast(I, offsets[s + 7]).reinterpretAsShorts();
            ShortVector b7 = a7;
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
                    ShortVector x4 =
                            IntVector.broadcast(I, steps[g + 4 * PAIRS]).reinterpretAsShorts();
                    a4 = a4.add(w.mul(x4));
                    b4 = b4.add(z.mul(x4));
                    ShortVector x5 =
                            IntVector.broadcast(I, steps[g + 5 * PAIRS]).reinterpretAsShorts();
                    a5 = a5.add(w.mul(x5));
                    b5 = b5.add(z.mul(x5));
                    ShortVector x6 =
                            IntVector.broadcast(I, steps[g + 6 * PAIRS]).reinterpretAsShorts();
                    a6 = a6.add(w.mul(x6));
                    b6 = b6.add(z.mul(x6));
                    ShortVector x7 =
                            IntVector.broadcast(I, steps[g + 7 * PAIRS]).reinterpretAsShorts();
                    a7 = a7.add(w.mul(x7));
                    b7 = b7.add(z.mul(x7));
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
            float m4 = rowScales[s + 4] * (HALF / 65536);
            ((FloatVector) a4.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m4), FloatVector.fromArray(F, sums, 8 * L))
                    .intoArray(sums, 8 * L);
            ((FloatVector) b4.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m4), FloatVector.fromArray(F, sums, 9 * L))
                    .intoArray(sums, 9 * L);
            float m5 = rowScales[s + 5] * (HALF / 65536);
            ((FloatVector) a5.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m5), FloatVector.fromArray(F, sums, 10 * L))
                    .intoArray(sums, 10 * L);
            ((FloatVector) b5.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m5), FloatVector.fromArray(F, sums, 11 * L))
                    .intoArray(sums, 11 * L);
            float m6 = rowScales[s + 6] * (HALF / 65536);
            ((FloatVector) a6.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m6), FloatVector.fromArray(F, sums, 12 * L))
                    .intoArray(sums, 12 * L);
            ((FloatVector) b6.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m6), FloatVector.fromArray(F, sums, 13 * L))
                    .intoArray(sums, 13 * L);
            float m7 = rowScales[s + 7] * (HALF / 65536);
            ((FloatVector) a7.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(low.mul(m7), FloatVector.fromArray(F, sums, 14 * L))
                    .intoArray(sums, 14 * L);
            ((FloatVector) b7.reinterpretAsInts().mul(0x10001).and(0xffff0000).convert(I2F, 0))
                    .fma(high.mul(m7), FloatVector.fromArray(F, sums, 15 * L))
                    .intoArray(sums, 15 * L);
        }
    }
}
