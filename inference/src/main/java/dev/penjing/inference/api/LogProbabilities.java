package dev.penjing.inference.api;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;

/// How likely the model thought a token, and what it thought likeliest.
///
/// @param chosen natural logarithm of the probability of the token that was drawn
/// @param top likeliest first
public record LogProbabilities(double chosen, List<Entry> top) {
    /// A token and the natural logarithm of its probability.
    public record Entry(int id, double logProbability) {}

    /// Of `id` and of the `top` likeliest tokens, by the logits as the model gave them.
    ///
    /// @param logits of the vocabulary
    /// @param logSumExp the logarithm of the sum of their exponentials
    /// @throws PenjingException if the token's is not finite
    public static LogProbabilities of(float[] logits, double logSumExp, int id, int top) {
        List<Entry> best = new ArrayList<>();
        for (int i = 0; i < logits.length && top > 0; i++) {
            float logit = logits[i];
            if (best.size() == top && logit - logSumExp <= best.getLast().logProbability()) {
                continue;
            }
            int place = best.size();
            while (place > 0 && best.get(place - 1).logProbability() < logit - logSumExp) {
                place--;
            }
            best.add(place, new Entry(i, logit - logSumExp));
            if (best.size() > top) {
                best.removeLast();
            }
        }
        return new LogProbabilities(requireFinite(logits[id] - logSumExp), best);
    }

    /// @return the same
    /// @throws PenjingException if it is not finite
    public static double requireFinite(double logProbability) {
        if (!Double.isFinite(logProbability)) {
            throw new PenjingException(
                    "the model's log-probability of a token is "
                            + logProbability
                            + ": its weights are damaged, fetch or make them again");
        }
        return logProbability;
    }
}
