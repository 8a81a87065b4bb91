package dev.penjing.inference;

import dev.penjing.model.PenjingException;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/// An engine as a language model to measure. Thread-safe. Closing it leaves the engine open.
final class EngineModel implements LanguageModel {
    private final Engine engine;
    private final Scheduler scheduler;

    EngineModel(Engine engine, Scheduler scheduler) {
        this.engine = engine;
        this.scheduler = scheduler;
    }

    @Override
    public Tokenizer tokenizer() {
        return engine.tokenizer();
    }

    @Override
    public int contextLength() {
        return engine.contextLength();
    }

    @Override
    public List<float[]> logProbabilities(List<int[]> sequences) {
        List<float[]> results = new ArrayList<>();
        for (int[] ids : sequences) {
            check(ids);
            results.add(new float[ids.length - 1]);
        }
        score(
                whole(sequences),
                (text, index, logits, at, norm) ->
                        results.get(text)[index - 1] =
                                (float) (logits[at + sequences.get(text)[index]] - norm));
        return results;
    }

    /// The same for one text, with the `top` likeliest tokens at each place.
    List<LogProbabilities> logProbabilities(int[] ids, int top) {
        engine.check(ids);
        int vocabulary = engine.config().vocabularySize();
        LogProbabilities[] results = new LogProbabilities[Math.max(0, ids.length - 1)];
        score(
                ids.length == 0 ? List.of() : whole(List.of(ids)),
                (text, index, logits, at, norm) -> {
                    float[] row = Arrays.copyOfRange(logits, at, at + vocabulary);
                    results[index - 1] = Sampler.logProbabilities(row, norm, ids[index], top);
                });
        return List.of(results);
    }

    @Override
    public double[] likelihoods(List<ScoredText> texts) {
        texts.forEach(text -> check(text.ids()));
        double[] sums = new double[texts.size()];
        score(
                texts,
                (text, index, logits, at, norm) ->
                        sums[text] += logits[at + texts.get(text).ids()[index]] - norm);
        return sums;
    }

    private static List<ScoredText> whole(List<int[]> sequences) {
        return sequences.stream().map(ids -> new ScoredText(ids, 1)).toList();
    }

    private void score(List<ScoredText> texts, ScoringJob.Sink sink) {
        new ScoringJob(scheduler, texts, sink).run();
    }

    /// A text to score may be one longer than the context: its last id is no input.
    private void check(int[] ids) {
        if (ids.length == 0 || ids.length > contextLength() + 1) {
            throw new PenjingException(
                    "a text of %d tokens cannot be scored: give 1 to %d, the context and one to predict"
                            .formatted(ids.length, contextLength() + 1));
        }
        engine.checkIds(ids);
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        for (Prompt prompt : prompts) {
            if (prompt.ids().length == 0) {
                throw new PenjingException("a prompt is empty: give at least one token");
            }
            engine.check(prompt.ids());
        }
        // as many more wait as run, so that none is waited for
        return new ManyAnswers(engine, prompts, done).make(2 * scheduler.maxSequences());
    }

    @Override
    public void close() {}
}
