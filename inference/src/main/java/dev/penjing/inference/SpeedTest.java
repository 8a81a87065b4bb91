package dev.penjing.inference;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/// Times an engine on random prompts.
public final class SpeedTest {
    private SpeedTest() {}

    /// Medians over the repeats.
    ///
    /// @param prefillTokensPerSecond prompt tokens of all sequences over the time until each has
    ///   its first token
    /// @param decodeTokensPerSecond of all sequences together, behind their first tokens
    public record Row(
            int batch,
            int promptTokens,
            int newTokens,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond,
            double firstTokenSeconds) {}

    /// Prompts and answers are timed apart, so that no prompt is computed while answers are made.
    /// Prompts are never the same twice, or their beginnings would be known. Where prompt or answer
    /// is longer than the context, it is as long as fits, and the row says so.
    ///
    /// @throws UsageException if a number is not positive
    public static Row run(Engine engine, int batch, int prompt, int answer, int repeats) {
        if (batch < 1 || prompt < 1 || answer < 1 || repeats < 1) {
            throw new UsageException(
                    "--batch, --prompt-tokens, --new-tokens and --repeats must be positive");
        }
        int promptTokens = Math.min(prompt, engine.contextLength() - 1);
        int newTokens = Math.min(answer, engine.contextLength() - 2);
        Random random = new Random();
        double[] prefill = new double[repeats];
        double[] decode = new double[repeats];
        double[] first = new double[repeats];
        for (int i = -1; i < repeats; i++) {
            double[] prompts = once(engine, random, batch, promptTokens, 1);
            double[] answers = once(engine, random, batch, 1, newTokens + 1);
            if (i >= 0) {
                first[i] = prompts[0];
                prefill[i] = (double) batch * promptTokens / prompts[0];
                decode[i] = (double) batch * newTokens / answers[1];
            }
        }
        return new Row(
                batch, promptTokens, newTokens, median(prefill), median(decode), median(first));
    }

    /// @return seconds until all have their first token, and from then on
    private static double[] once(
            Engine engine, Random random, int batch, int promptTokens, int newTokens) {
        long start = System.nanoTime();
        List<FirstToken> firsts = new ArrayList<>();
        List<Generation> running = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            int[] prompt = random.ints(promptTokens, 0, engine.config().vocabularySize()).toArray();
            FirstToken listener = new FirstToken();
            firsts.add(listener);
            running.add(
                    engine.submit(
                            new Request(
                                    prompt,
                                    newTokens,
                                    Sampling.GREEDY,
                                    List.of(),
                                    Set.of(),
                                    true,
                                    OptionalInt.empty(),
                                    Optional.empty()),
                            listener));
        }
        running.forEach(Generation::awaitEnd);
        long end = System.nanoTime();
        long last = firsts.stream().mapToLong(f -> f.at).max().orElse(end);
        return new double[] {(last - start) / 1e9, (end - last) / 1e9};
    }

    private static final class FirstToken implements Listener {
        private volatile long at;

        @Override
        public void token(int id, String text, Optional<LogProbabilities> logProbabilities) {
            at = at == 0 ? System.nanoTime() : at;
        }

        @Override
        public void finished(Finish finish, String rest) {}
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
