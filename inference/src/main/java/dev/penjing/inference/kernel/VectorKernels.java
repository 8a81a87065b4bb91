package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.Lanes.F;
import static dev.penjing.inference.kernel.Lanes.I;
import static dev.penjing.inference.kernel.Lanes.L;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.Collection;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// The kernels on the Vector API, as wide as [Lanes] says.
///
/// The products stay in 16-bit lanes as long as they fit, because no instruction that multiplies
/// and adds pairs is in reach: see the comments at each. Which forms were tried is in
/// `docs/lab-notebook.md`.
public final class VectorKernels implements Kernels {
    /// Columns c to c + 3. Of the exponent in GELU's approximation: -2 sqrt(2 / pi).
    private static final float MINUS_TWO_ROOTS = -1.5957691216f;

    private static final VectorSpecies<Integer> FOUR = IntVector.SPECIES_128;

    /// All of four lanes but the first.
    private static final IntVector NOT_FIRST =
            IntVector.fromArray(FOUR, new int[] {0, -1, -1, -1}, 0);

    private static final VectorShuffle<Integer> FIRST_TWOS = shuffle(0, 1, 0, 1);
    private static final VectorShuffle<Integer> LAST_TWOS = shuffle(2, 3, 2, 3);
    private static final VectorShuffle<Integer> FIRST_TWICE = shuffle(0, 0, 1, 1);
    private static final VectorShuffle<Integer> LAST_TWICE = shuffle(2, 2, 3, 3);

    /// The lane before each; before the first, the last.
    private static final VectorShuffle<Integer> BEFORE = shuffle(3, 0, 1, 2);

    private static final VectorMask<Integer> FIRST = VectorMask.fromLong(FOUR, 0b0001);
    private static final VectorMask<Integer> UPPER = VectorMask.fromLong(FOUR, 0b1100);
    private static final VectorMask<Integer> ODD = VectorMask.fromLong(FOUR, 0b1010);

    private static final int UNIT = PackedMatrix.UNIT;

    /// Values whose exponentials are summed in float32.
    private static final int PART = 1024;

    private static VectorShuffle<Integer> shuffle(int... lanes) {
        return VectorShuffle.fromValues(FOUR, lanes);
    }

    @Override
    public String describe() {
        return "Vector API, " + I.vectorBitSize() + " bits";
    }

    @Override
    public Activations activations(
            int maxRows, int columns, Collection<PackedMatrix> by, SegmentAllocator memory) {
        boolean floats =
                ManyTokens.EIGHT
                        && by.stream()
                                .map(PackedMatrix::format)
                                .anyMatch(format -> format == WeightFormat.Q8_0);
        return new LaneActivations(maxRows, columns, floats);
    }

    @Override
    public int lanes() {
        return L;
    }

    @Override
    public void product(
            PackedMatrix w,
            Activations activations,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        LaneActivations x = (LaneActivations) activations;
        if (w.format() != WeightFormat.Q4_0 && w.format() != WeightFormat.Q8_0) {
            UnpackedBlocks.product(w, x, y, yAt, stride, from, to, add, scratch);
            return;
        }
        if (x.rows() > LaneActivations.FEW) {
            ManyTokens.product(w, x, y, yAt, stride, from, to, add, scratch);
            return;
        }
        if (!add) {
            for (int t = 0; t < x.rows(); t++) {
                int at = yAt + t * stride;
                Arrays.fill(y, at + from, at + to, 0);
            }
        }
        // as many rows of weights at a time as stay in the cache for the next row of activations
        int step = x.rows() == 1 ? to - from : 2 * L;
        for (int row = from; row < to; row += step) {
            for (int t = 0; t < x.rows(); t++) {
                OneToken.product(w, x, t, y, yAt + t * stride, row, row + step);
            }
        }
    }

    @Override
    public void quantize(
            float[] x, int at, int from, int to, Activations to8, int row, Scratch scratch) {
        LaneActivations out = (LaneActivations) to8;
        int[] quants = scratch.quants;
        int[] pairs = out.pairs;
        int[] steps = out.steps;
        boolean floats = out.wholes.length > 0;
        int index = out.blockIndex(row, from / UNIT);
        for (int column = from; column < to; column += UNIT, index += out.tile()) {
            FloatVector peak = FloatVector.zero(F);
            for (int i = 0; i < UNIT; i += L) {
                peak = peak.max(FloatVector.fromArray(F, x, at + column + i).abs());
            }
            float largest = peak.reduceLanes(VectorOperators.MAX);
            float inverse = largest < SMALLEST ? 0 : 127 / largest;
            for (int i = 0; i < UNIT; i += L) {
                // adding 1.5 x 2^23 rounds to the nearest whole, which its low bits then hold
                FloatVector v =
                        FloatVector.fromArray(F, x, at + column + i).mul(inverse).add(0x1.8p23f);
                v.reinterpretAsInts().sub(0x4b400000).intoArray(quants, i);
                if (floats) {
                    v.sub(0x1.8p23f).intoArray(out.wholes, index * UNIT + i);
                }
            }
            IntVector sum = IntVector.zero(FOUR);
            for (int i = 0; i < 4; i++) {
                IntVector a = IntVector.fromArray(FOUR, quants, 8 * i);
                IntVector b = IntVector.fromArray(FOUR, quants, 8 * i + 4);
                pair(both(a, b, FIRST_TWOS, UPPER), both(a, b, LAST_TWOS, UPPER))
                        .intoArray(pairs, index * LaneActivations.PAIRS + 4 * i);
                sum = sum.add(a).add(b);
            }
            for (int i = 0; i < 4; i++) {
                IntVector a = IntVector.fromArray(FOUR, quants, 4 * i);
                IntVector b = IntVector.fromArray(FOUR, quants, 4 * i + 16);
                IntVector low = both(a, b, FIRST_TWICE, ODD);
                IntVector high = both(a, b, LAST_TWICE, ODD);
                IntVector beforeLow = low.rearrange(BEFORE).and(NOT_FIRST);
                IntVector beforeHigh = both(high, low, BEFORE, FIRST);
                pair(step(low, beforeLow), step(high, beforeHigh))
                        .intoArray(steps, index * LaneActivations.PAIRS + 4 * i);
            }
            out.scales[index] = largest / 127;
            out.offsets[index] = -8 * sum.reduceLanes(VectorOperators.ADD) << 16;
        }
    }

    /// Lanes of a, or of b where the mask is set. (A rearrangement of two vectors at once is slow.)
    private static IntVector both(
            IntVector a, IntVector b, VectorShuffle<Integer> order, VectorMask<Integer> ofB) {
        return a.rearrange(order).blend(b.rearrange(order), ofB);
    }

    private static IntVector pair(IntVector low, IntVector high) {
        return low.and(0xffff).or(high.lanewise(VectorOperators.LSHL, 16));
    }

    private static IntVector step(IntVector x, IntVector before) {
        return x.sub(before.lanewise(VectorOperators.LSHL, 4));
    }

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, int size, float epsilon, float[] out) {
        FloatVector sums = FloatVector.zero(F);
        int bound = F.loopBound(size);
        for (int i = 0; i < bound; i += L) {
            FloatVector v = FloatVector.fromArray(F, x, at + i);
            sums = v.fma(v, sums);
        }
        float sum = sum(sums.toArray());
        for (int i = bound; i < size; i++) {
            sum += x[at + i] * x[at + i];
        }
        float factor = (float) (1 / Math.sqrt(sum / size + epsilon));
        for (int i = 0; i < bound; i += L) {
            FloatVector.fromArray(F, x, at + i)
                    .mul(factor)
                    .mul(FloatVector.fromArray(F, weight, i))
                    .intoArray(out, i);
        }
        for (int i = bound; i < size; i++) {
            out[i] = x[at + i] * factor * weight[i];
        }
    }

    /// In the order of the lanes. `reduceLanes` leaves the order open, and compiled code adds in
    /// another one than the interpreter does: the same text would score differently from run to
    /// run.
    private static float sum(float[] lanes) {
        float sum = 0;
        for (float lane : lanes) {
            sum += lane;
        }
        return sum;
    }

    @Override
    public void siluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        int i = 0;
        for (; i + L <= count; i += L) {
            FloatVector z = FloatVector.fromArray(F, gate, gateAt + i);
            FloatVector u = FloatVector.fromArray(F, up, upAt + i);
            z.div(exp(z.neg()).add(1)).mul(u).intoArray(gate, gateAt + i);
        }
        if (i < count) {
            VectorMask<Float> m = F.indexInRange(i, count);
            FloatVector z = FloatVector.fromArray(F, gate, gateAt + i, m);
            FloatVector u = FloatVector.fromArray(F, up, upAt + i, m);
            z.div(exp(z.neg()).add(1)).mul(u).intoArray(gate, gateAt + i, m);
        }
    }

    @Override
    public void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        for (int i = 0; i < count; i += L) {
            VectorMask<Float> m = F.indexInRange(i, count);
            FloatVector z = FloatVector.fromArray(F, gate, gateAt + i, m);
            FloatVector u = FloatVector.fromArray(F, up, upAt + i, m);
            FloatVector y = z.mul(z).mul(0.044715f).add(1).mul(z).mul(MINUS_TWO_ROOTS);
            z.div(exp(y).add(1)).mul(u).intoArray(gate, gateAt + i, m);
        }
    }

    /// e^x within 2 units in the last place: 2^k times a polynomial in what is left of x after k
    /// times ln 2 (Cephes, expf).
    static FloatVector exp(FloatVector x) {
        FloatVector z = x.min(88.0f).max(-87.0f);
        FloatVector k = z.mul(1.44269504f).add(0x1.8p23f);
        IntVector exponent = k.reinterpretAsInts().sub(0x4b400000);
        FloatVector whole = k.sub(0x1.8p23f);
        FloatVector r = whole.fma(FloatVector.broadcast(F, -0.693359375f), z);
        r = whole.fma(FloatVector.broadcast(F, 2.12194440e-4f), r);
        FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1);
        return exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats().mul(p);
    }

    @Override
    public void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt) {
        AttentionKernels.scores(q, qAt, headDim, keys, at, scale, scores, scoresAt);
    }

    @Override
    public void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride) {
        AttentionKernels.fourScores(q, qAt, headDim, keys, at, scale, scores, scoresAt, stride);
    }

    @Override
    public void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        AttentionKernels.mix(weights, weightsAt, count, values, at, headDim, out, outAt);
    }

    @Override
    public void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        AttentionKernels.fourMixes(
                weights, weightsAt, stride, count, values, at, headDim, out, outAt);
    }

    @Override
    public void softmax(float[] scores, int at, int count) {
        float largest = largest(scores, at, count);
        FloatVector sums = FloatVector.zero(F);
        int bound = F.loopBound(count);
        for (int i = 0; i < bound; i += L) {
            FloatVector e = exp(FloatVector.fromArray(F, scores, at + i).sub(largest));
            e.intoArray(scores, at + i);
            sums = sums.add(e);
        }
        VectorMask<Float> rest = F.indexInRange(bound, count);
        if (bound < count) {
            FloatVector e = exp(FloatVector.fromArray(F, scores, at + bound, rest).sub(largest));
            e.intoArray(scores, at + bound, rest);
            sums = sums.add(e, rest);
        }
        float inverse = 1 / sum(sums.toArray());
        for (int i = 0; i < bound; i += L) {
            FloatVector.fromArray(F, scores, at + i).mul(inverse).intoArray(scores, at + i);
        }
        if (bound < count) {
            FloatVector.fromArray(F, scores, at + bound, rest)
                    .mul(inverse)
                    .intoArray(scores, at + bound, rest);
        }
    }

    private static float largest(float[] x, int at, int count) {
        FloatVector peaks = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        int bound = F.loopBound(count);
        for (int i = 0; i < bound; i += L) {
            peaks = peaks.max(FloatVector.fromArray(F, x, at + i));
        }
        float largest = peaks.reduceLanes(VectorOperators.MAX);
        for (int i = bound; i < count; i++) {
            largest = Math.max(largest, x[at + i]);
        }
        return largest;
    }

    @Override
    public double logSumExp(float[] x, int at, int count) {
        float largest = largest(x, at, count);
        double sum = 0;
        // float32 sums of a vocabulary would lose digits: of a part of it they do not
        for (int from = 0; from < count; from += PART) {
            sum += expSum(x, at + from, Math.min(PART, count - from), largest);
        }
        return largest + Math.log(sum);
    }

    private static float expSum(float[] x, int at, int count, float largest) {
        FloatVector sums = FloatVector.zero(F);
        int bound = F.loopBound(count);
        for (int i = 0; i < bound; i += L) {
            sums = sums.add(exp(FloatVector.fromArray(F, x, at + i).sub(largest)));
        }
        if (bound < count) {
            VectorMask<Float> m = F.indexInRange(bound, count);
            sums = sums.add(exp(FloatVector.fromArray(F, x, at + bound, m).sub(largest)), m);
        }
        return sum(sums.toArray());
    }
}
