package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.Kernels.KEY_TILE;
import static dev.penjing.inference.kernel.Lanes.F;
import static dev.penjing.inference.kernel.Lanes.HALF;
import static dev.penjing.inference.kernel.Lanes.I;
import static dev.penjing.inference.kernel.Lanes.L;
import static dev.penjing.inference.kernel.Lanes.LITTLE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Queries times keys, and weights times values.
///
/// Of one query, most of the time goes to turning float16 into float32; four at once share that,
/// and each does the same sums in the same order as it does alone. Loops go along memory by adding
/// to an offset: where it is computed anew from a count, the compiler checks it each time, and they
/// take twice as long.
final class AttentionKernels {
    private static final VectorSpecies<Short> HALF_SPECIES = halfSpecies();

    private AttentionKernels() {}

    /// As many shorts as a vector has ints.
    private static VectorSpecies<Short> halfSpecies() {
        return switch (L) {
            case 16 -> ShortVector.SPECIES_256;
            case 8 -> ShortVector.SPECIES_128;
            default -> ShortVector.SPECIES_64;
        };
    }

    static void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt) {
        for (int t = 0; t < KEY_TILE; t += L) {
            FloatVector even = FloatVector.zero(F);
            FloatVector odd = FloatVector.zero(F);
            long p = at + 2L * t;
            for (int d = 0; d < headDim / 2; d++, p += 4 * KEY_TILE) {
                FloatVector k = halves(keys, p);
                even = k.fma(FloatVector.broadcast(F, q[qAt + 2 * d]), even);
                FloatVector m = halves(keys, p + 2 * KEY_TILE);
                odd = m.fma(FloatVector.broadcast(F, q[qAt + 2 * d + 1]), odd);
            }
            if (headDim % 2 > 0) {
                float last = q[qAt + headDim - 1];
                even = halves(keys, p).fma(FloatVector.broadcast(F, last), even);
            }
            even.add(odd).mul(scale * HALF).intoArray(scores, scoresAt + t);
        }
    }

    static void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride) {
        int q1 = qAt + headDim;
        int q2 = q1 + headDim;
        int q3 = q2 + headDim;
        for (int t = 0; t < KEY_TILE; t += L) {
            FloatVector even0 = FloatVector.zero(F);
            FloatVector even1 = FloatVector.zero(F);
            FloatVector even2 = FloatVector.zero(F);
            FloatVector even3 = FloatVector.zero(F);
            FloatVector odd0 = FloatVector.zero(F);
            FloatVector odd1 = FloatVector.zero(F);
            FloatVector odd2 = FloatVector.zero(F);
            FloatVector odd3 = FloatVector.zero(F);
            long p = at + 2L * t;
            for (int d = 0; d < headDim / 2; d++, p += 4 * KEY_TILE) {
                FloatVector k = halves(keys, p);
                even0 = k.fma(FloatVector.broadcast(F, q[qAt + 2 * d]), even0);
                even1 = k.fma(FloatVector.broadcast(F, q[q1 + 2 * d]), even1);
                even2 = k.fma(FloatVector.broadcast(F, q[q2 + 2 * d]), even2);
                even3 = k.fma(FloatVector.broadcast(F, q[q3 + 2 * d]), even3);
                FloatVector m = halves(keys, p + 2 * KEY_TILE);
                odd0 = m.fma(FloatVector.broadcast(F, q[qAt + 2 * d + 1]), odd0);
                odd1 = m.fma(FloatVector.broadcast(F, q[q1 + 2 * d + 1]), odd1);
                odd2 = m.fma(FloatVector.broadcast(F, q[q2 + 2 * d + 1]), odd2);
                odd3 = m.fma(FloatVector.broadcast(F, q[q3 + 2 * d + 1]), odd3);
            }
            if (headDim % 2 > 0) {
                FloatVector k = halves(keys, p);
                even0 = k.fma(FloatVector.broadcast(F, q[q1 - 1]), even0);
                even1 = k.fma(FloatVector.broadcast(F, q[q2 - 1]), even1);
                even2 = k.fma(FloatVector.broadcast(F, q[q3 - 1]), even2);
                even3 = k.fma(FloatVector.broadcast(F, q[q3 + headDim - 1]), even3);
            }
            int to = scoresAt + t;
            even0.add(odd0).mul(scale * HALF).intoArray(scores, to);
            even1.add(odd1).mul(scale * HALF).intoArray(scores, to + stride);
            even2.add(odd2).mul(scale * HALF).intoArray(scores, to + 2 * stride);
            even3.add(odd3).mul(scale * HALF).intoArray(scores, to + 3 * stride);
        }
    }

    static void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        mix(weights, weightsAt, 0, count, values, at, headDim, out, outAt);
    }

    /// @param first dimension that is mixed: a multiple of L
    private static void mix(
            float[] weights,
            int weightsAt,
            int first,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        int d = first;
        for (; d + L <= headDim; d += L) {
            FloatVector sum = FloatVector.zero(F);
            long p = at + 2L * d;
            for (int t = 0; t < count; t++, p += 2L * headDim) {
                FloatVector v = halves(values, p);
                sum = v.fma(FloatVector.broadcast(F, weights[weightsAt + t]), sum);
            }
            sum.mul(HALF).add(FloatVector.fromArray(F, out, outAt + d)).intoArray(out, outAt + d);
        }
        for (; d < headDim; d++) {
            for (int t = 0; t < count; t++) {
                short half = values.get(PackedMatrix.SHORT, at + 2L * (t * headDim + d));
                out[outAt + d] += weights[weightsAt + t] * Float.float16ToFloat(half);
            }
        }
    }

    static void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        int w1 = weightsAt + stride;
        int w2 = w1 + stride;
        int w3 = w2 + stride;
        int d = 0;
        for (; d + 2 * L <= headDim; d += 2 * L) {
            FloatVector a0 = FloatVector.zero(F);
            FloatVector a1 = FloatVector.zero(F);
            FloatVector a2 = FloatVector.zero(F);
            FloatVector a3 = FloatVector.zero(F);
            FloatVector b0 = FloatVector.zero(F);
            FloatVector b1 = FloatVector.zero(F);
            FloatVector b2 = FloatVector.zero(F);
            FloatVector b3 = FloatVector.zero(F);
            long p = at + 2L * d;
            for (int t = 0; t < count; t++, p += 2L * headDim) {
                FloatVector v = halves(values, p);
                FloatVector u = halves(values, p + 2 * L);
                FloatVector x0 = FloatVector.broadcast(F, weights[weightsAt + t]);
                a0 = v.fma(x0, a0);
                b0 = u.fma(x0, b0);
                FloatVector x1 = FloatVector.broadcast(F, weights[w1 + t]);
                a1 = v.fma(x1, a1);
                b1 = u.fma(x1, b1);
                FloatVector x2 = FloatVector.broadcast(F, weights[w2 + t]);
                a2 = v.fma(x2, a2);
                b2 = u.fma(x2, b2);
                FloatVector x3 = FloatVector.broadcast(F, weights[w3 + t]);
                a3 = v.fma(x3, a3);
                b3 = u.fma(x3, b3);
            }
            int to = outAt + d;
            a0.mul(HALF).add(FloatVector.fromArray(F, out, to)).intoArray(out, to);
            b0.mul(HALF).add(FloatVector.fromArray(F, out, to + L)).intoArray(out, to + L);
            to += headDim;
            a1.mul(HALF).add(FloatVector.fromArray(F, out, to)).intoArray(out, to);
            b1.mul(HALF).add(FloatVector.fromArray(F, out, to + L)).intoArray(out, to + L);
            to += headDim;
            a2.mul(HALF).add(FloatVector.fromArray(F, out, to)).intoArray(out, to);
            b2.mul(HALF).add(FloatVector.fromArray(F, out, to + L)).intoArray(out, to + L);
            to += headDim;
            a3.mul(HALF).add(FloatVector.fromArray(F, out, to)).intoArray(out, to);
            b3.mul(HALF).add(FloatVector.fromArray(F, out, to + L)).intoArray(out, to + L);
        }
        for (int i = 0; i < 4 && d < headDim; i++) {
            mix(
                    weights,
                    weightsAt + i * stride,
                    d,
                    count,
                    values,
                    at,
                    headDim,
                    out,
                    outAt + i * headDim);
        }
    }

    /// L float16 as float32, but for a factor of 2^112, subnormal and large ones right too
    /// (infinities and NaN become numbers).
    private static FloatVector halves(MemorySegment data, long at) {
        ShortVector h = ShortVector.fromMemorySegment(HALF_SPECIES, data, at, LITTLE);
        IntVector bits = (IntVector) h.convertShape(VectorOperators.S2I, I, 0);
        return bits.lanewise(VectorOperators.LSHL, 13).and(0x8fffffff).reinterpretAsFloats();
    }
}
