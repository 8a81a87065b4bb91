package dev.penjing.bench;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/// What came to the clients of a load test.
final class LoadCounts {
    final Durations first = new Durations();
    final Durations between = new Durations();
    final Map<String, Integer> errors = new TreeMap<>();
    private final long[] texts;
    private long requests;

    /// Texts and tokens of answers that are complete: some tokens bring no text.
    private long completeTexts;

    private long completeTokens;
    private long nanos;

    LoadCounts(int clients) {
        texts = new long[clients];
    }

    /// Texts that came to a client.
    void texts(int client, int more) {
        texts[client] += more;
    }

    /// An answer that came to its end.
    void answer(int ofTexts, int ofTokens) {
        requests++;
        completeTexts += ofTexts;
        completeTokens += ofTokens;
        if (ofTokens == 0) {
            failed("an answer without tokens");
        }
    }

    void failed(String kind) {
        errors.merge(kind, 1, Integer::sum);
    }

    /// Time in which it came.
    void time(long more) {
        nanos += more;
    }

    double seconds() {
        return nanos / 1e9;
    }

    /// By what a text is worth in complete answers.
    double tokens() {
        return Arrays.stream(texts).sum() * tokensPerText();
    }

    double tokensPerSecond() {
        return tokens() / seconds();
    }

    /// Tokens that came to each client.
    double[] shares() {
        return Arrays.stream(texts).mapToDouble(n -> n * tokensPerText()).toArray();
    }

    private double tokensPerText() {
        return completeTexts == 0 ? 1 : (double) completeTokens / completeTexts;
    }

    void writeTo(ObjectNode result) {
        result.put("seconds", seconds()).put("requests", requests);
        result.put("requests_per_s", requests / seconds());
        result.put("tokens", (long) tokens()).put("tokens_per_s", tokensPerSecond());
        ObjectNode kinds = result.putObject("errors");
        errors.forEach(kinds::put);
        quantiles(result.putObject("time_to_first_token"), first);
        quantiles(result.putObject("time_between_tokens"), between);
    }

    private static void quantiles(ObjectNode to, Durations durations) {
        to.put("median", durations.quantile(0.5))
                .put("p90", durations.quantile(0.9))
                .put("p99", durations.quantile(0.99));
    }
}
