package dev.penjing.compression.training;

import dev.penjing.compression.torch.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Compares the student's distribution with the teacher's and with the next token in one pass over
/// the logits, on the CPU: a row is read once, lies in the cache while it is worked on, and its
/// gradient is written once. libtorch's operations, one pass each, take twice as long. An
/// [Objective] names the factors of what it wants of this.
///
/// A row is V logits of a token. Sums are added in float32 over parts of a row, the parts in
/// double, in an order that depends on the width of the machine's vectors and on nothing else: a
/// run that goes on after a stop comes to the same weights.
///
/// This class needs the Vector API: only [HeadLoss], which looks whether it is there, may name it.
final class FusedComparison {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, F.vectorShape());
    private static final ByteOrder LITTLE = ByteOrder.LITTLE_ENDIAN;
    private static final int L = F.length();
    private static final int PAIR = 2 * L;

    /// Values that are summed in float32; a multiple of [#PAIR].
    private static final int PART = 1024;

    private static final ValueLayout.OfShort BFLOAT16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE);
    private static final ValueLayout.OfFloat FLOAT32 =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE);

    /// Rows that a thread takes at a time.
    private static final int ROWS = 8;

    private final MemorySegment logitsGV;
    private final Optional<MemorySegment> taughtGV;
    private final long[] targetsG;
    private final Objective.FusedTerms terms;
    private final boolean differentiate;
    private final boolean wide;
    private final int rows;
    private final int vocabulary;
    private final double[] crossEntropies;
    private final double[] divergences;
    private final double[] teacherCrossEntropies;

    private FusedComparison(
            Tensor logitsGV,
            Optional<Tensor> taughtGV,
            Tensor targetsG,
            Objective.FusedTerms terms,
            boolean differentiate,
            Arena arena) {
        this.logitsGV = Tensors.memory(logitsGV, arena);
        this.taughtGV = taughtGV.map(t -> Tensors.memory(t, arena));
        this.targetsG = Tensors.longs(targetsG);
        this.terms = terms;
        this.differentiate = differentiate;
        this.wide = logitsGV.scalar_type().intern() == ScalarType.Float;
        this.rows = Math.toIntExact(logitsGV.size(0));
        this.vocabulary = Math.toIntExact(logitsGV.size(1));
        this.crossEntropies = new double[rows];
        this.divergences = new double[rows];
        this.teacherCrossEntropies = new double[rows];
    }

    /// @param logitsGV the student's, float32 or bfloat16, contiguous in CPU memory; with
    ///   `differentiate` they become the gradient of the loss
    /// @param taughtGV the teacher's, of the same type and shape
    static HeadLoss.Sums compare(
            Tensor logitsGV,
            Optional<Tensor> taughtGV,
            Tensor targetsG,
            Objective.FusedTerms terms,
            boolean differentiate,
            RowThreads threads) {
        try (Arena arena = Arena.ofShared()) {
            return new FusedComparison(logitsGV, taughtGV, targetsG, terms, differentiate, arena)
                    .run(threads);
        }
    }

    private HeadLoss.Sums run(RowThreads threads) {
        var next = new AtomicInteger();
        threads.onEach(() -> {
            var buffers = new Buffers(vocabulary);
            int from;
            while ((from = next.getAndAdd(ROWS)) < rows) {
                for (int r = from; r < Math.min(rows, from + ROWS); r++) {
                    row(r, buffers);
                }
            }
        });
        double crossEntropy = Arrays.stream(crossEntropies).sum();
        double divergence = Arrays.stream(divergences).sum();
        return new HeadLoss.Sums(
                times(terms.divergence(), divergence) + times(terms.crossEntropy(), crossEntropy),
                crossEntropy,
                divergence,
                Arrays.stream(teacherCrossEntropies).sum(),
                rows);
    }

    /// A term that is left out is 0, whatever it would be.
    private static double times(double factor, double sum) {
        return factor == 0 ? 0 : factor * sum;
    }

    /// A thread's own.
    private static final class Buffers {
        /// The student's logits, then their exponentials; and the teacher's. Of bfloat16, each
        /// [#PAIR] of columns has the even ones first.
        final float[] q;

        final float[] p;

        /// Of exponentials of q, of p, and of p's times what its logits are above q's.
        final double[] sums = new double[3];

        final float[] lanes = new float[L];

        Buffers(int vocabulary) {
            q = new float[Math.ceilDiv(vocabulary, PAIR) * PAIR];
            p = new float[q.length];
        }
    }

    private void row(int row, Buffers buffers) {
        long at = (long) row * vocabulary;
        long target = at + Objects.checkIndex(targetsG[row], (long) vocabulary);
        float largestQ = unpack(logitsGV, at, buffers.q);
        double targetQ = value(logitsGV, target) - largestQ;
        if (taughtGV.isPresent()) {
            float largestP = unpack(taughtGV.get(), at, buffers.p);
            double targetP = value(taughtGV.get(), target) - largestP;
            exponentials(buffers, largestQ, largestP);
            double logSumQ = Math.log(buffers.sums[0]);
            double logSumP = Math.log(buffers.sums[1]);
            crossEntropies[row] = logSumQ - targetQ;
            teacherCrossEntropies[row] = logSumP - targetP;
            divergences[row] = buffers.sums[2] / buffers.sums[1] - logSumP + logSumQ;
            if (differentiate) {
                double scaleQ = (terms.divergence() + terms.crossEntropy()) / buffers.sums[0];
                double scaleP = terms.divergence() / buffers.sums[1];
                differences(buffers.q, (float) scaleQ, buffers.p, (float) scaleP);
                pack(buffers.q, at);
                if (terms.crossEntropy() != 0) {
                    double q = Math.exp(targetQ) * scaleQ;
                    double p = Math.exp(targetP) * scaleP;
                    set(target, (float) (q - p - terms.crossEntropy()));
                }
            }
        } else {
            double sum = exponentials(buffers, largestQ);
            crossEntropies[row] = Math.log(sum) - targetQ;
            if (differentiate) {
                double factor = terms.crossEntropy();
                scale(buffers.q, (float) (factor / sum));
                pack(buffers.q, at);
                set(target, (float) (factor * Math.exp(targetQ) / sum - factor));
            }
        }
    }

    /// Reads a row; what the buffer has beyond it weighs nothing.
    ///
    /// @return the largest
    private float unpack(MemorySegment from, long at, float[] to) {
        int whole = vocabulary / PAIR * PAIR;
        float largest =
                wide ? unpack32(from, 4 * at, whole, to) : unpack16(from, 2 * at, whole, to);
        for (int c = whole; c < to.length; c++) {
            to[c] = c < vocabulary ? value(from, at + c) : -1e30f;
            largest = Math.max(largest, to[c]);
        }
        return largest;
    }

    private static float unpack32(MemorySegment from, long at, int whole, float[] to) {
        FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        for (int c = 0; c < whole; c += L) {
            FloatVector x = FloatVector.fromMemorySegment(F, from, at + 4L * c, LITTLE);
            x.intoArray(to, c);
            largest = largest.max(x);
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    private static float unpack16(MemorySegment from, long at, int whole, float[] to) {
        FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        for (int c = 0; c < whole; c += PAIR) {
            IntVector pairs = IntVector.fromMemorySegment(I, from, at + 2L * c, LITTLE);
            FloatVector even = pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector odd = pairs.and(0xffff0000).reinterpretAsFloats();
            even.intoArray(to, c);
            odd.intoArray(to, c + L);
            largest = largest.max(even).max(odd);
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    private void pack(float[] from, long at) {
        int whole = vocabulary / PAIR * PAIR;
        if (wide) {
            MemorySegment.copy(from, 0, logitsGV, FLOAT32, 4 * at, whole);
        } else {
            pack16(from, whole, logitsGV, 2 * at);
        }
        for (int c = whole; c < vocabulary; c++) {
            set(at + c, from[c]);
        }
    }

    private static void pack16(float[] from, int whole, MemorySegment to, long at) {
        for (int c = 0; c < whole; c += PAIR) {
            IntVector even = rounded(FloatVector.fromArray(F, from, c));
            IntVector odd = rounded(FloatVector.fromArray(F, from, c + L));
            even.lanewise(VectorOperators.LSHR, 16)
                    .or(odd.and(0xffff0000))
                    .intoMemorySegment(to, at + 2L * c, LITTLE);
        }
    }

    /// To bfloat16, in the upper halves: to the nearest, of two the even one.
    private static IntVector rounded(FloatVector x) {
        IntVector bits = x.reinterpretAsInts();
        return bits.add(0x7fff).add(bits.lanewise(VectorOperators.LSHR, 16).and(1));
    }

    private float value(MemorySegment from, long index) {
        return wide
                ? from.get(FLOAT32, 4 * index)
                : Float.intBitsToFloat(from.get(BFLOAT16, 2 * index) << 16);
    }

    private void set(long index, float value) {
        if (wide) {
            logitsGV.set(FLOAT32, 4 * index, value);
        } else {
            int bits = Float.floatToIntBits(value);
            int rounded = bits + 0x7fff + (bits >>> 16 & 1);
            logitsGV.set(BFLOAT16, 2 * index, (short) (rounded >>> 16));
        }
    }

    /// Of the student's logits alone.
    ///
    /// @return their sum
    private static double exponentials(Buffers buffers, float largest) {
        double sum = 0;
        for (int from = 0; from < buffers.q.length; from += PART) {
            int to = Math.min(buffers.q.length, from + PART);
            sum += partOfExponentials(buffers.q, from, to, largest, buffers.lanes);
        }
        return sum;
    }

    private static double partOfExponentials(
            float[] z, int from, int to, float largest, float[] lanes) {
        FloatVector sums = FloatVector.zero(F);
        for (int c = from; c < to; c += L) {
            FloatVector e = exp(FloatVector.fromArray(F, z, c).sub(largest));
            e.intoArray(z, c);
            sums = sums.add(e);
        }
        return sum(sums, lanes);
    }

    private static void exponentials(Buffers buffers, float largestQ, float largestP) {
        Arrays.fill(buffers.sums, 0);
        for (int from = 0; from < buffers.q.length; from += PART) {
            int to = Math.min(buffers.q.length, from + PART);
            partOfExponentials(buffers, from, to, largestQ, largestP);
        }
    }

    private static void partOfExponentials(
            Buffers buffers, int from, int to, float largestQ, float largestP) {
        float[] q = buffers.q;
        float[] p = buffers.p;
        FloatVector sumQ = FloatVector.zero(F);
        FloatVector sumP = FloatVector.zero(F);
        FloatVector above = FloatVector.zero(F);
        for (int c = from; c < to; c += L) {
            FloatVector zq = FloatVector.fromArray(F, q, c).sub(largestQ);
            FloatVector zp = FloatVector.fromArray(F, p, c).sub(largestP);
            FloatVector eq = exp(zq);
            FloatVector ep = exp(zp);
            sumQ = sumQ.add(eq);
            sumP = sumP.add(ep);
            above = ep.fma(zp.sub(zq), above);
            eq.intoArray(q, c);
            ep.intoArray(p, c);
        }
        buffers.sums[0] += sum(sumQ, buffers.lanes);
        buffers.sums[1] += sum(sumP, buffers.lanes);
        buffers.sums[2] += sum(above, buffers.lanes);
    }

    /// In the order of the lanes. `reduceLanes` leaves the order open, and compiled code adds in
    /// another than the interpreter.
    private static double sum(FloatVector x, float[] lanes) {
        x.intoArray(lanes, 0);
        double sum = 0;
        for (float lane : lanes) {
            sum += lane;
        }
        return sum;
    }

    /// q = q scaleQ - p scaleP.
    private static void differences(float[] q, float scaleQ, float[] p, float scaleP) {
        for (int c = 0; c < q.length; c += L) {
            FloatVector less = FloatVector.fromArray(F, p, c).mul(scaleP);
            FloatVector.fromArray(F, q, c).mul(scaleQ).sub(less).intoArray(q, c);
        }
    }

    private static void scale(float[] q, float scale) {
        for (int c = 0; c < q.length; c++) {
            q[c] *= scale;
        }
    }

    /// e^x = 2^k e^r for x from -87 to 0, less than 1e-38 below: k whole, |r| at most ln 2 / 2, e^r
    /// by the polynomial of the Cephes library (expf), within two units of the last place.
    private static FloatVector exp(FloatVector x) {
        FloatVector z = x.max(-87f);
        FloatVector shifted = z.mul(1.44269504f).add(0x1.8p23f);
        FloatVector k = shifted.sub(0x1.8p23f);
        FloatVector r = k.fma(FloatVector.broadcast(F, -0.693359375f), z);
        r = k.fma(FloatVector.broadcast(F, 2.12194440e-4f), r);
        FloatVector e = FloatVector.broadcast(F, 1.9875691500e-4f);
        e = e.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
        e = e.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
        e = e.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
        e = e.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
        e = e.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
        e = e.fma(r.mul(r), r).add(1);
        IntVector power = shifted.reinterpretAsInts().sub(0x4b400000).add(127);
        return power.lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats().mul(e);
    }
}
