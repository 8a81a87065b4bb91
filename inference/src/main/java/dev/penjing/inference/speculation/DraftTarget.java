package dev.penjing.inference.speculation;

import dev.penjing.inference.constraint.Matcher;
import java.util.Optional;

/// An answer in the making, as speculative decoding sees it.
public interface DraftTarget {
    /// What is proposed for it.
    Draft draft();

    /// Whether its prompt has been read.
    boolean decoding();

    /// Its tokens, and room for more behind them. Not to be changed.
    int[] tokens();

    /// Of these, the ones that are there.
    int length();

    /// The most that it will ever have.
    int limit();

    /// How far it has come in its constraint, if it has one.
    Optional<Matcher> form();

    /// The token that would most likely be drawn. Changes the logits, and nothing else.
    ///
    /// @param logits of the vocabulary from `at` on
    /// @param mask of the tokens that may be drawn
    int guess(float[] logits, int at, int vocabulary, Optional<long[]> mask);
}
