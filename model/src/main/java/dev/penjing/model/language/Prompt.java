package dev.penjing.model.language;

import java.util.function.IntPredicate;

/// A text to be continued.
///
/// @param ids at least one
/// @param maxNewTokens at least 1; the answer also ends where the context does
/// @param last told each new id in order, once; the answer ends with the first that it accepts
@SuppressWarnings("ArrayRecordComponent") // compared nowhere, copied nowhere
public record Prompt(int[] ids, int maxNewTokens, Draw draw, IntPredicate last) {
    public Prompt {
        if (maxNewTokens < 1) {
            throw new IllegalArgumentException(maxNewTokens + " new tokens");
        }
    }

    /// How the next token is taken from the model's distribution.
    ///
    /// @param temperature 0 takes the likeliest, whatever the rest says
    /// @param topP the likeliest tokens that together have this much probability are drawn from
    /// @param seed the same seed draws the same tokens, whatever else is computed beside
    public record Draw(double temperature, double topP, long seed) {
        public static final Draw GREEDY = new Draw(0, 1, 0);

        public Draw {
            if (!(temperature >= 0 && topP > 0 && topP <= 1)) {
                throw new IllegalArgumentException(
                        "temperature %s, top-p %s".formatted(temperature, topP));
            }
        }
    }
}
