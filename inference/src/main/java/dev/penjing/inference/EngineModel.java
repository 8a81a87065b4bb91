package dev.penjing.inference;

import dev.penjing.inference.api.Generator;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.scheduling.Scheduler;
import dev.penjing.inference.scoring.ScoringJob;
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
///
/// @param generator the engine
/// @param scheduler of the engine
/// @param block positions of a block of its key-value cache
record EngineModel(
        Generator generator,
        Tokenizer tokenizer,
        Scheduler scheduler,
        int block,
        PromptLimits limits)
        implements LanguageModel {
    @Override
    public int contextLength() {
        return limits.context();
    }

    /// @throws PenjingException if one is not finite, or a text too long
    @Override
    public List<float[]> logProbabilities(List<int[]> sequences) {
        List<float[]> results = new ArrayList<>();
        for (int[] ids : sequences) {
            limits.checkScored(ids);
            results.add(new float[ids.length - 1]);
        }
        score(
                whole(sequences),
                (text, index, logits, at, norm) -> {
                    float logit = logits[at + sequences.get(text)[index]];
                    results.get(text)[index - 1] =
                            (float) LogProbabilities.requireFinite(logit - norm);
                });
        return results;
    }

    /// The same for one text, with the `top` likeliest tokens at each place.
    List<LogProbabilities> logProbabilities(int[] ids, int top) {
        limits.check(ids);
        LogProbabilities[] results = new LogProbabilities[Math.max(0, ids.length - 1)];
        score(
                ids.length == 0 ? List.of() : whole(List.of(ids)),
                (text, index, logits, at, norm) -> {
                    float[] row = Arrays.copyOfRange(logits, at, at + limits.vocabulary());
                    results[index - 1] = LogProbabilities.of(row, norm, ids[index], top);
                });
        return List.of(results);
    }

    /// @throws PenjingException if a log-probability is not finite, or a text too long
    @Override
    public double[] likelihoods(List<ScoredText> texts) {
        texts.forEach(text -> limits.checkScored(text.ids()));
        double[] sums = new double[texts.size()];
        score(
                texts,
                (text, index, logits, at, norm) -> {
                    float logit = logits[at + texts.get(text).ids()[index]];
                    sums[text] += LogProbabilities.requireFinite(logit - norm);
                });
        return sums;
    }

    private static List<ScoredText> whole(List<int[]> sequences) {
        return sequences.stream().map(ids -> new ScoredText(ids, 1)).toList();
    }

    private void score(List<ScoredText> texts, ScoringJob.Sink sink) {
        new ScoringJob(scheduler, block, texts, sink).run();
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        for (Prompt prompt : prompts) {
            if (prompt.ids().length == 0) {
                throw new PenjingException("a prompt is empty: give at least one token");
            }
            limits.check(prompt.ids());
        }
        // as many more wait as run, so that none is waited for
        return new ManyAnswers(generator, prompts, done).make(2 * scheduler.maxSequences());
    }

    @Override
    public void close() {}
}
