package dev.penjing.inference;

import java.util.List;

/// How likely the model thought a token, and what it thought likeliest.
///
/// @param chosen natural logarithm of the probability of the token that was drawn
/// @param top likeliest first
public record LogProbabilities(double chosen, List<Entry> top) {
    public record Entry(int id, double logProbability) {}
}
