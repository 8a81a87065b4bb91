package dev.penjing.inference.kernel;

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

/// Eight rows of activations times eight-bit weights, both whole numbers in float32, where there
/// are 32 vector registers. A block's sums are below 2^24 and so exact: they are those of
/// [OneToken], in one instruction for each 16 products where 16-bit lanes take two. Weights become
/// floats in registers, for eight rows at a time: kept as floats for all rows, four times as many
/// bytes, they were slower by 4 % with 256 rows, and more with fewer.
///
/// Written out flat for the reason that [OneToken] gives.
final class EightFloatRows {
    private static final int VECTOR = 4 * L;
    private static final int UNIT = PackedMatrix.UNIT;

    private EightFloatRows() {}

    /// Adds the products with a group of 2 L rows of weights to `sums`, [8][2 L].
    ///
    /// @param blockAt of the first row and block of activations
    static void q8(
            MemorySegment data, long at, int blocks, LaneActivations x, int blockAt, float[] sums) {
        float[] wholes = x.wholes;
        float[] rowScales = x.scales;
        long p = at;
        int s = blockAt;
        int g = blockAt * UNIT;
        for (int b = 0; b < blocks; b++, s += 8, g += 7 * UNIT) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector b0 = FloatVector.zero(F);
            FloatVector a1 = FloatVector.zero(F);
            FloatVector b1 = FloatVector.zero(F);
            FloatVector a2 = FloatVector.zero(F);
            FloatVector b2 = FloatVector.zero(F);
            FloatVector a3 = FloatVector.zero(F);
            FloatVector b3 = FloatVector.zero(F);
            FloatVector a4 = FloatVector.zero(F);
            FloatVector b4 = FloatVector.zero(F);
            FloatVector a5 = FloatVector.zero(F);
            FloatVector b5 = FloatVector.zero(F);
            FloatVector a6 = FloatVector.zero(F);
            FloatVector b6 = FloatVector.zero(F);
            FloatVector a7 = FloatVector.zero(F);
            FloatVector b7 = FloatVector.zero(F);
            for (int v = 0; v < 8; v++, p += 2 * VECTOR) {
                IntVector q = IntVector.fromMemorySegment(I, data, p, LITTLE);
                IntVector r = IntVector.fromMemorySegment(I, data, p + VECTOR, LITTLE);
                for (int n = 0; n < 4; n++) {
                    int c = g + n;
                    FloatVector w =
                            (FloatVector) q.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0);
                    FloatVector z =
                            (FloatVector) r.lanewise(LSHL, 24).lanewise(ASHR, 24).convert(I2F, 0);
                    q = q.lanewise(LSHR, 8);
                    r = r.lanewise(LSHR, 8);
                    FloatVector x0 = FloatVector.broadcast(F, wholes[c + 0 * UNIT]);
                    a0 = w.fma(x0, a0);
                    b0 = z.fma(x0, b0);
                    FloatVector x1 = FloatVector.broadcast(F, wholes[c + 1 * UNIT]);
                    a1 = w.fma(x1, a1);
                    b1 = z.fma(x1, b1);
                    FloatVector x2 = FloatVector.broadcast(F, wholes[c + 2 * UNIT]);
                    a2 = w.fma(x2, a2);
                    b2 = z.fma(x2, b2);
                    FloatVector x3 = FloatVector.broadcast(F, wholes[c + 3 * UNIT]);
                    a3 = w.fma(x3, a3);
                    b3 = z.fma(x3, b3);
                    FloatVector x4 = FloatVector.broadcast(F, wholes[c + 4 * UNIT]);
                    a4 = w.fma(x4, a4);
                    b4 = z.fma(x4, b4);
                    FloatVector x5 = FloatVector.broadcast(F, wholes[c + 5 * UNIT]);
                    a5 = w.fma(x5, a5);
                    b5 = z.fma(x5, b5);
                    FloatVector x6 = FloatVector.broadcast(F, wholes[c + 6 * UNIT]);
                    a6 = w.fma(x6, a6);
                    b6 = z.fma(x6, b6);
                    FloatVector x7 = FloatVector.broadcast(F, wholes[c + 7 * UNIT]);
                    a7 = w.fma(x7, a7);
                    b7 = z.fma(x7, b7);
                }
                g += 4;
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
            a0.fma(low.mul(f0), FloatVector.fromArray(F, sums, 0)).intoArray(sums, 0);
            b0.fma(high.mul(f0), FloatVector.fromArray(F, sums, L)).intoArray(sums, L);
            float f1 = rowScales[s + 1] * HALF;
            a1.fma(low.mul(f1), FloatVector.fromArray(F, sums, 2 * L)).intoArray(sums, 2 * L);
            b1.fma(high.mul(f1), FloatVector.fromArray(F, sums, 3 * L)).intoArray(sums, 3 * L);
            float f2 = rowScales[s + 2] * HALF;
            a2.fma(low.mul(f2), FloatVector.fromArray(F, sums, 4 * L)).intoArray(sums, 4 * L);
            b2.fma(high.mul(f2), FloatVector.fromArray(F, sums, 5 * L)).intoArray(sums, 5 * L);
            float f3 = rowScales[s + 3] * HALF;
            a3.fma(low.mul(f3), FloatVector.fromArray(F, sums, 6 * L)).intoArray(sums, 6 * L);
            b3.fma(high.mul(f3), FloatVector.fromArray(F, sums, 7 * L)).intoArray(sums, 7 * L);
            float f4 = rowScales[s + 4] * HALF;
            a4.fma(low.mul(f4), FloatVector.fromArray(F, sums, 8 * L)).intoArray(sums, 8 * L);
            b4.fma(high.mul(f4), FloatVector.fromArray(F, sums, 9 * L)).intoArray(sums, 9 * L);
            float f5 = rowScales[s + 5] * HALF;
            a5.fma(low.mul(f5), FloatVector.fromArray(F, sums, 10 * L)).intoArray(sums, 10 * L);
            b5.fma(high.mul(f5), FloatVector.fromArray(F, sums, 11 * L)).intoArray(sums, 11 * L);
            float f6 = rowScales[s + 6] * HALF;
            a6.fma(low.mul(f6), FloatVector.fromArray(F, sums, 12 * L)).intoArray(sums, 12 * L);
            b6.fma(high.mul(f6), FloatVector.fromArray(F, sums, 13 * L)).intoArray(sums, 13 * L);
            float f7 = rowScales[s + 7] * HALF;
            a7.fma(low.mul(f7), FloatVector.fromArray(F, sums, 14 * L)).intoArray(sums, 14 * L);
            b7.fma(high.mul(f7), FloatVector.fromArray(F, sums, 15 * L)).intoArray(sums, 15 * L);
        }
    }
}
