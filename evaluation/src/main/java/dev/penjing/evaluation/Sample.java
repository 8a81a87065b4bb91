package dev.penjing.evaluation;

import java.util.List;
import java.util.Map;

/// One item as it was asked, and what came of it.
///
/// @param index of the item in its split
/// @param contexts one, or one for each choice
/// @param continuations what was scored; empty if the answer was written
/// @param logLikelihoods one a continuation or context; empty if the answer was written
/// @param texts what was written; empty if choices were scored
/// @param expected the answer that is right
public record Sample(
        String task,
        int index,
        List<String> contexts,
        List<String> continuations,
        List<Double> logLikelihoods,
        List<String> texts,
        String expected,
        Map<String, Double> scores) {}
