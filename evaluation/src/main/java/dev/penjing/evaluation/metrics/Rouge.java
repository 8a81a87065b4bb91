package dev.penjing.evaluation.metrics;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// ROUGE (Lin 2004) as the package `rouge_score` computes it, without stemming: the F1 of shared
/// n-grams, or of the longest common subsequence of the whole texts.
public final class Rouge {
    private Rouge() {}

    /// Lower case; all but `a` to `z` and digits parts words.
    public static List<String> tokens(String text) {
        return Stream.of(text.toLowerCase(Locale.ROOT).split("[^a-z0-9]+"))
                .filter(token -> !token.isEmpty())
                .toList();
    }

    /// ROUGE-n: n-grams, each counted at most as often as in the other text.
    public static double n(List<String> expected, List<String> written, int n) {
        Map<List<String>, Integer> left = grams(expected, n);
        Map<List<String>, Integer> right = grams(written, n);
        int shared = 0;
        for (Map.Entry<List<String>, Integer> gram : left.entrySet()) {
            shared += Math.min(gram.getValue(), right.getOrDefault(gram.getKey(), 0));
        }
        return f1(shared, expected.size() - n + 1, written.size() - n + 1);
    }

    /// ROUGE-L
    public static double longest(List<String> expected, List<String> written) {
        int[] before = new int[written.size() + 1];
        for (String word : expected) {
            int[] row = new int[written.size() + 1];
            for (int j = 1; j <= written.size(); j++) {
                row[j] =
                        word.equals(written.get(j - 1))
                                ? before[j - 1] + 1
                                : Math.max(before[j], row[j - 1]);
            }
            before = row;
        }
        return f1(before[written.size()], expected.size(), written.size());
    }

    private static Map<List<String>, Integer> grams(List<String> tokens, int n) {
        Map<List<String>, Integer> counts = new HashMap<>();
        IntStream.rangeClosed(0, tokens.size() - n)
                .forEach(i -> counts.merge(tokens.subList(i, i + n), 1, Integer::sum));
        return counts;
    }

    private static double f1(int shared, int expected, int written) {
        if (shared == 0 || expected <= 0 || written <= 0) {
            return 0;
        }
        double precision = (double) shared / written;
        double recall = (double) shared / expected;
        return 2 * precision * recall / (precision + recall);
    }
}
