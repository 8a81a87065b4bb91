package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.VectorKernels.F;
import static dev.penjing.inference.kernel.VectorKernels.HALF;
import static dev.penjing.inference.kernel.VectorKernels.I;
import static dev.penjing.inference.kernel.VectorKernels.L;
import static dev.penjing.inference.kernel.VectorKernels.LITTLE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Eight rows of activations times eight-bit weights, both whole numbers in float32, where there
/// are 32 vector registers. A block's sums are below 2^24 and so exact: they are those of
/// [OneToken], in one instruction for each 16 products where 16-bit lanes take two.
///
/// Written out flat for the reason that [OneToken] gives.
final class EightFloatRows {
    private static final int VECTOR = 4 * L;
    private static final int UNIT = PackedMatrix.UNIT;

    /// Floats of a block of a group of rows: its columns, and the scales.
    private static final int BLOCK = (UNIT + 1) * 2 * L;

    /// Fewer rows than these are not worth the unpacking.
    static final int LEAST = 32;

    private EightFloatRows() {}

    /// Floats that a group of rows takes.
    static int size(PackedMatrix w) {
        return w.blocks() * BLOCK;
    }

    /// Unpacks a group of 2 L rows: of each block its columns, of each of these the rows, and then
    /// the rows' scales, but for a factor of 2^112.
    static void unpack(PackedMatrix w, int row, float[] to) {
        MemorySegment data = w.data();
        long p = w.offset(row, 0);
        int at = 0;
        for (int b = 0; b < w.blocks(); b++) {
            for (int v = 0; v < 8; v++, p += 2 * VECTOR) {
                int column = at + (v / 2 * 8 + v % 2 * 2) * 2 * L;
                columns(IntVector.fromMemorySegment(I, data, p, LITTLE), to, column);
                columns(IntVector.fromMemorySegment(I, data, p + VECTOR, LITTLE), to, column + L);
            }
            at += UNIT * 2 * L;
            IntVector scales = IntVector.fromMemorySegment(I, data, p, LITTLE);
            p += VECTOR;
            IntVector low = scales.lanewise(LSHL, 16).lanewise(ASHR, 3).and(0x8fffffff);
            low.reinterpretAsFloats().intoArray(to, at);
            IntVector high = scales.lanewise(ASHR, 3).and(0x8fffe000);
            high.reinterpretAsFloats().intoArray(to, at + L);
            at += 2 * L;
        }
    }

    /// A lane's bytes are columns n, n + 1, n + 4 and n + 5.
    private static void columns(IntVector q, float[] to, int at) {
        floats(q.lanewise(LSHL, 24).lanewise(ASHR, 24)).intoArray(to, at);
        floats(q.lanewise(LSHL, 16).lanewise(ASHR, 24)).intoArray(to, at + 2 * L);
        floats(q.lanewise(LSHL, 8).lanewise(ASHR, 24)).intoArray(to, at + 8 * L);
        floats(q.lanewise(ASHR, 24)).intoArray(to, at + 10 * L);
    }

    private static FloatVector floats(IntVector q) {
        return (FloatVector) q.convert(I2F, 0);
    }

    /// Adds the products with a group of rows to `sums`, [8][2 L].
    ///
    /// @param w the unpacked group
    /// @param blockAt of the first row and block of activations
    static void product(float[] w, int blocks, Activations x, int blockAt, float[] sums) {
        float[] wholes = x.wholes;
        float[] rowScales = x.scales;
        int p = 0;
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
            for (int c = 0; c < UNIT; c++, p += 2 * L, g++) {
                FloatVector q = FloatVector.fromArray(F, w, p);
                FloatVector r = FloatVector.fromArray(F, w, p + L);
                FloatVector x0 = FloatVector.broadcast(F, wholes[g]);
                a0 = q.fma(x0, a0);
                b0 = r.fma(x0, b0);
                FloatVector x1 = FloatVector.broadcast(F, wholes[g + UNIT]);
                a1 = q.fma(x1, a1);
                b1 = r.fma(x1, b1);
                FloatVector x2 = FloatVector.broadcast(F, wholes[g + 2 * UNIT]);
                a2 = q.fma(x2, a2);
                b2 = r.fma(x2, b2);
                FloatVector x3 = FloatVector.broadcast(F, wholes[g + 3 * UNIT]);
                a3 = q.fma(x3, a3);
                b3 = r.fma(x3, b3);
                FloatVector x4 = FloatVector.broadcast(F, wholes[g + 4 * UNIT]);
                a4 = q.fma(x4, a4);
                b4 = r.fma(x4, b4);
                FloatVector x5 = FloatVector.broadcast(F, wholes[g + 5 * UNIT]);
                a5 = q.fma(x5, a5);
                b5 = r.fma(x5, b5);
                FloatVector x6 = FloatVector.broadcast(F, wholes[g + 6 * UNIT]);
                a6 = q.fma(x6, a6);
                b6 = r.fma(x6, b6);
                FloatVector x7 = FloatVector.broadcast(F, wholes[g + 7 * UNIT]);
                a7 = q.fma(x7, a7);
                b7 = r.fma(x7, b7);
            }
            FloatVector low = FloatVector.fromArray(F, w, p);
            FloatVector high = FloatVector.fromArray(F, w, p + L);
            p += 2 * L;
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
