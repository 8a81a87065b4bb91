package dev.penjing.compression.generation;

import dev.penjing.model.PenjingException;
import dev.penjing.model.language.Prompt.Draw;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Takes tokens from logits.
final class TokenSampler {
    private final int vocabulary;

    TokenSampler(int vocabulary) {
        this.vocabulary = vocabulary;
    }

    /// The next id: the first of the likeliest, or one by chance, for which one number is drawn.
    ///
    /// @param logits of the vocabulary, from `at` on
    /// @throws PenjingException if one is not a number or infinite
    int next(float[] logits, int at, Draw draw, SplittableRandom random) {
        int best = 0;
        for (int i = 0; i < vocabulary; i++) {
            best = logits[at + i] > logits[at + best] ? i : best;
            if (Float.isNaN(logits[at + i]) || logits[at + i] == Float.POSITIVE_INFINITY) {
                throw new PenjingException(
                        "a logit of the model is not finite (%s): its weights are damaged"
                                .formatted(logits[at + i]));
            }
        }
        if (draw.temperature() == 0) {
            return best;
        }
        double[] weights = new double[vocabulary];
        double sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            weights[i] =
                    Math.exp((logits[at + i] - (double) logits[at + best]) / draw.temperature());
            sum += weights[i];
        }
        if (draw.topP() < 1) {
            sum = keepLikeliest(weights, sum, logits, at, draw.topP());
        }
        double point = random.nextDouble() * sum;
        int last = best;
        for (int i = 0; i < vocabulary; i++) {
            if (weights[i] > 0) {
                last = i;
                point -= weights[i];
                if (point < 0) {
                    return i;
                }
            }
        }
        return last; // the sum was rounded up
    }

    /// Sets the weights to zero but for the fewest, likeliest first, that come to the share `topP`
    /// of all.
    ///
    /// @return the sum of those that are left
    private double keepLikeliest(
            double[] weights, double all, float[] logits, int at, double topP) {
        double enough = topP * all;
        // those that are lighter come to less than what may be left out, all together
        double lightest = (all - enough) / vocabulary;
        long[] keys = new long[vocabulary];
        int count = 0;
        for (int i = 0; i < vocabulary; i++) {
            if (weights[i] < lightest) {
                weights[i] = 0;
                continue;
            }
            int bits = Float.floatToIntBits(logits[at + i]);
            int ordered = bits ^ (bits >> 31 & 0x7fffffff);
            keys[count++] = (long) ~ordered << 32 | i; // likeliest first, equal ones by id
        }
        Arrays.sort(keys, 0, count);
        double reached = weights[(int) keys[0]];
        int kept = 1;
        while (kept < count && reached < enough) {
            reached += weights[(int) keys[kept++]];
        }
        for (int i = kept; i < count; i++) {
            weights[(int) keys[i]] = 0;
        }
        return reached;
    }
}
