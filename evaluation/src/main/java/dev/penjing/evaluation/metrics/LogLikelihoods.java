package dev.penjing.evaluation.metrics;

import dev.penjing.model.PenjingException;

/// Natural logarithms of probabilities, as a model gives them.
public final class LogLikelihoods {
    private LogLikelihoods() {}

    /// A log-likelihood that is NaN or infinite is no score, whatever computed it: compared with
    /// others it would make the first choice the likeliest.
    ///
    /// @throws PenjingException if one of them is not finite
    public static void requireFinite(double... all) {
        for (double one : all) {
            if (!Double.isFinite(one)) {
                throw new PenjingException(
                        "the model gives a text the log-likelihood %s, which is no score: its weights are damaged, or too large for the type that computes; get the model again, or compute in float32"
                                .formatted(one));
            }
        }
    }
}
