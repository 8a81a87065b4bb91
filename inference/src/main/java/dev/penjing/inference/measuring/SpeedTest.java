package dev.penjing.inference.measuring;

import dev.penjing.inference.api.DraftUse;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Generator;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/// Times an engine on random prompts, or on pieces of a text.
public final class SpeedTest {
    private SpeedTest() {}

    /// Medians over the repeats.
    ///
    /// @param prefillTokensPerSecond prompt tokens of all sequences over the time until each has
    ///   its first token
    /// @param decodeTokensPerSecond of all sequences together, behind their first tokens, without a
    ///   draft
    /// @param drafted if the engine has a draft
    public record Row(
            int batch,
            int promptTokens,
            int newTokens,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond,
            double firstTokenSeconds,
            Optional<Drafted> drafted) {}

    /// The same answers with the draft, as far as it is worth its time: one that is not rests but
    /// for trials, and the ratio is close to 1.
    ///
    /// @param acceptance the share of proposals that were accepted
    /// @param ratio of the speed to that without a draft
    public record Drafted(double decodeTokensPerSecond, double acceptance, double ratio) {}

    /// Seconds until all have their first token, tokens a second from then on, and how the answers
    /// ended.
    private record Timing(double firsts, double rate, List<Finish> ends) {}

    /// Prompts and answers are timed apart, so that no prompt is computed while answers are made.
    /// Prompts are never the same twice, or their beginnings would be known. Where prompt or answer
    /// is longer than the context, it is as long as fits, and the row says so.
    ///
    /// @param text to take prompts from, which answers then continue; empty for random prompts, on
    ///   which a draft has nothing to go by
    /// @throws UsageException if a number is not positive, or the text is shorter than a prompt
    public static Row run(
            Generator engine,
            Optional<int[]> text,
            int batch,
            int prompt,
            int answer,
            int repeats) {
        if (batch < 1 || prompt < 1 || answer < 1 || repeats < 1) {
            throw new UsageException(
                    "`batch`, `promptTokens`, `newTokens` and `repeats` must be positive");
        }
        int context = engine.contextLength();
        int promptTokens = Math.min(prompt, context - 1);
        int newTokens = Math.min(answer, context - 2);
        int before = text.isPresent() ? Math.clamp(context - newTokens - 1, 1, promptTokens) : 1;
        Prompts prompts = new Prompts(text, engine.vocabularySize());
        double[] prefill = new double[repeats];
        double[] decode = new double[repeats];
        double[] first = new double[repeats];
        double[] drafted = new double[repeats];
        List<Finish> ends = new ArrayList<>();
        try {
            for (int i = -1; i < repeats; i++) {
                engine.draft(DraftUse.NEVER);
                Timing reading = once(engine, prompts.next(batch, promptTokens), 1);
                List<int[]> starts = prompts.next(batch, before);
                // first of the two, so that the draft reads the prompts when the model does
                engine.draft(DraftUse.WORTHWHILE);
                Timing with =
                        engine.hasDraft()
                                ? once(engine, starts, newTokens + 1)
                                : new Timing(0, 0, List.of());
                engine.draft(DraftUse.NEVER);
                Timing without = once(engine, starts, newTokens + 1);
                if (i >= 0) {
                    first[i] = reading.firsts();
                    prefill[i] = (double) batch * promptTokens / reading.firsts();
                    decode[i] = without.rate();
                    drafted[i] = with.rate();
                    ends.addAll(with.ends());
                }
            }
        } finally {
            engine.draft(DraftUse.WORTHWHILE);
        }
        double own = median(decode);
        return new Row(
                batch,
                promptTokens,
                newTokens,
                median(prefill),
                own,
                median(first),
                engine.hasDraft()
                        ? Optional.of(
                                new Drafted(
                                        median(drafted), acceptance(ends), median(drafted) / own))
                        : Optional.empty());
    }

    /// Reads one random prompt.
    ///
    /// @return its tokens a second
    public static double prompt(Generator engine, int tokens) {
        List<int[]> prompts = random(engine).next(1, tokens);
        return tokens / once(engine, prompts, 1).firsts();
    }

    /// Makes greedy answers to random prompts of one token, all at once.
    ///
    /// @return tokens a second of all of them, behind their first ones
    public static double answers(Generator engine, int sequences, int tokens) {
        return once(engine, random(engine).next(sequences, 1), tokens + 1).rate();
    }

    private static Prompts random(Generator engine) {
        return new Prompts(Optional.empty(), engine.vocabularySize());
    }

    private static double acceptance(List<Finish> ends) {
        int proposed = ends.stream().mapToInt(Finish::proposedTokens).sum();
        int accepted = ends.stream().mapToInt(Finish::acceptedTokens).sum();
        return proposed > 0 ? (double) accepted / proposed : 0;
    }

    private static Timing once(Generator engine, List<int[]> prompts, int newTokens) {
        long start = System.nanoTime();
        List<Times> times = new ArrayList<>();
        List<Generation> running = new ArrayList<>();
        for (int[] prompt : prompts) {
            Times listener = new Times();
            times.add(listener);
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
        List<Finish> ends = running.stream().map(Generation::awaitEnd).toList();
        long end = System.nanoTime();
        long last = times.stream().mapToLong(t -> t.first(end)).max().orElse(end);
        long behind = times.stream().mapToLong(t -> t.after(last)).sum();
        return new Timing((last - start) / 1e9, behind / ((end - last) / 1e9), ends);
    }

    /// Random ids, or pieces of a text, each from another place.
    private static final class Prompts {
        private final Random random = new Random();
        private final Optional<int[]> text;
        private final int vocabulary;
        private int at;

        Prompts(Optional<int[]> text, int vocabulary) {
            this.text = text;
            this.vocabulary = vocabulary;
        }

        List<int[]> next(int count, int length) {
            List<int[]> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(
                        text.map(ids -> piece(ids, length))
                                .orElseGet(() -> random.ints(length, 0, vocabulary).toArray()));
            }
            return all;
        }

        private int[] piece(int[] ids, int length) {
            if (ids.length < length) {
                throw new UsageException(
                        "the text comes to %d tokens: give more text, or fewer promptTokens"
                                .formatted(ids.length));
            }
            if (at + length > ids.length) {
                // not where pieces began the last time
                at = at % length + 1 + length > ids.length ? 0 : at % length + 1;
            }
            at += length;
            return Arrays.copyOfRange(ids, at - length, at);
        }
    }

    /// When an answer's tokens came.
    private static final class Times implements Listener {
        private final List<Long> all = new ArrayList<>();

        @Override
        public synchronized void token(
                int id, String text, Optional<LogProbabilities> logProbabilities) {
            all.add(System.nanoTime());
        }

        @Override
        public void finished(Finish finish, String rest) {}

        synchronized long first(long otherwise) {
            return all.isEmpty() ? otherwise : all.getFirst();
        }

        synchronized long after(long moment) {
            return all.stream().filter(t -> t > moment).count();
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
