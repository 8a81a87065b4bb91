package dev.penjing.inference.sampling;

import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/// Draws one sequence's tokens. Keeps what penalties need to know of it. Used by one thread.
public final class Sampler {
    /// The bits of infinity; those of what is no number are above.
    private static final int INFINITE = 0x7f800000;

    private final Sampling sampling;
    private final SplittableRandom random;
    private final Map<Integer, Integer> made = new HashMap<>();
    private final Set<Integer> seen = new HashSet<>();

    /// Sorted candidates, reused from draw to draw.
    private int[] ids = new int[0];

    private float[] weights = new float[0];

    public Sampler(Sampling sampling, int[] prompt) {
        this.sampling = sampling;
        this.random =
                sampling.seed().isPresent()
                        ? new SplittableRandom(sampling.seed().getAsLong())
                        : new SplittableRandom();
        if (sampling.repetitionPenalty() != 1) {
            for (int id : prompt) {
                seen.add(id);
            }
        }
    }

    /// @param logits of the vocabulary from `at` on
    /// @throws PenjingException if one is not finite: no token could be drawn from them
    public static void requireFinite(float[] logits, int at, int vocabulary) {
        int largest = 0;
        for (int i = at; i < at + vocabulary; i++) {
            // without its sign, a float's bits grow with its size
            largest = Math.max(largest, Float.floatToRawIntBits(logits[i]) & 0x7fffffff);
        }
        if (largest >= INFINITE) {
            throw new PenjingException(
                    "the model's logits are not finite: its weights are damaged, fetch or make them again");
        }
    }

    /// The next token. Changes the logits.
    ///
    /// @param logits of the vocabulary from `at` on; minus infinity is never drawn
    /// @param mask bits of the tokens that may be drawn, whatever biases and penalties say; all if
    ///   empty. If it holds none, the result is any token
    public int next(float[] logits, int at, int vocabulary, Optional<long[]> mask) {
        adjust(logits, at, vocabulary);
        mask.ifPresent(allowed -> forbid(allowed, logits, at, vocabulary));
        int id =
                sampling.temperature() == 0
                        ? largest(logits, at, vocabulary)
                        : draw(logits, at, vocabulary);
        made.merge(id, 1, Integer::sum);
        if (sampling.repetitionPenalty() != 1) {
            seen.add(id);
        }
        return id;
    }

    /// The token that would most likely be drawn. Changes the logits, and nothing else.
    public int guess(float[] logits, int at, int vocabulary, Optional<long[]> mask) {
        adjust(logits, at, vocabulary);
        mask.ifPresent(allowed -> forbid(allowed, logits, at, vocabulary));
        return largest(logits, at, vocabulary);
    }

    private void adjust(float[] logits, int at, int vocabulary) {
        sampling.logitBias()
                .forEach((id, bias) -> {
                    if (id >= 0 && id < vocabulary) {
                        logits[at + id] += bias;
                    }
                });
        float repetition = sampling.repetitionPenalty();
        for (int id : seen) {
            float logit = logits[at + id];
            logits[at + id] = logit > 0 ? logit / repetition : logit * repetition;
        }
        if (sampling.frequencyPenalty() != 0 || sampling.presencePenalty() != 0) {
            made.forEach((id, count) ->
                    logits[at + id] -=
                            count * sampling.frequencyPenalty() + sampling.presencePenalty());
        }
    }

    private static void forbid(long[] allowed, float[] logits, int at, int vocabulary) {
        for (int from = 0; from < vocabulary; from += 64) {
            int to = Math.min(from + 64, vocabulary);
            long bits = allowed[from >> 6];
            if (bits == 0) {
                Arrays.fill(logits, at + from, at + to, Float.NEGATIVE_INFINITY);
                continue;
            }
            for (int id = from; bits != -1 && id < to; id++) {
                if ((bits >>> id & 1) == 0) {
                    logits[at + id] = Float.NEGATIVE_INFINITY;
                }
            }
        }
    }

    static int largest(float[] logits, int at, int vocabulary) {
        int best = 0;
        for (int i = 1; i < vocabulary; i++) {
            best = logits[at + i] > logits[at + best] ? i : best;
        }
        return best;
    }

    private int draw(float[] logits, int at, int vocabulary) {
        float peak = logits[at + largest(logits, at, vocabulary)];
        // what is less likely than this by far is never drawn: e^-30 of the likeliest, or min_p
        double cut = sampling.minP() > 0 ? Math.log(sampling.minP()) : -30;
        float floor = (float) (peak + cut * Math.max(1e-6, sampling.temperature()));
        int count = 0;
        for (int i = 0; i < vocabulary; i++) {
            if (logits[at + i] >= floor) {
                keep(count++, i, logits[at + i]);
            }
        }
        boolean sorted = sampling.topK() > 0 && sampling.topK() < count || sampling.topP() < 1;
        if (sorted) {
            sort(count);
            count = sampling.topK() > 0 ? Math.min(count, sampling.topK()) : count;
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            weights[i] = (float) Math.exp((weights[i] - peak) / sampling.temperature());
            sum += weights[i];
        }
        if (sampling.topP() < 1) {
            double enough = sampling.topP() * sum;
            double reached = 0;
            int kept = 0;
            while (kept < count && reached < enough) {
                reached += weights[kept++];
            }
            count = kept;
            sum = reached;
        }
        double point = random.nextDouble() * sum;
        for (int i = 0; i < count; i++) {
            point -= weights[i];
            if (point < 0) {
                return ids[i];
            }
        }
        return ids[count - 1];
    }

    private void keep(int index, int id, float logit) {
        if (index == ids.length) {
            int size = Math.max(64, 2 * index);
            ids = java.util.Arrays.copyOf(ids, size);
            weights = java.util.Arrays.copyOf(weights, size);
        }
        ids[index] = id;
        weights[index] = logit;
    }

    /// Likeliest first, equal ones by id.
    private void sort(int count) {
        long[] keys = new long[count];
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToIntBits(weights[i]);
            int ordered = bits ^ (bits >> 31 & 0x7fffffff);
            keys[i] = (long) ~ordered << 32 | ids[i];
        }
        java.util.Arrays.sort(keys);
        for (int i = 0; i < count; i++) {
            int ordered = ~(int) (keys[i] >> 32);
            ids[i] = (int) keys[i];
            weights[i] = Float.intBitsToFloat(ordered ^ (ordered >> 31 & 0x7fffffff));
        }
    }
}
