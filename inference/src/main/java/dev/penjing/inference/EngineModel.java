package dev.penjing.inference;

import dev.penjing.model.LanguageModel;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Prompt;
import dev.penjing.model.ScoredText;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntConsumer;

/// An engine as a language model to measure. Closing it leaves the engine open.
final class EngineModel implements LanguageModel {
    /// Positions whose logits are made at once.
    private static final int ROWS = 64;

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
        for (int[] ids : sequences) {
            if (ids.length == 0 || ids.length > contextLength()) {
                throw new PenjingException(
                        "a text of %d tokens cannot be scored: the context is %d"
                                .formatted(ids.length, contextLength()));
            }
            engine.check(Arrays.copyOf(ids, Math.min(ids.length, contextLength() - 1)));
        }
        List<float[]> results = new ArrayList<>();
        for (int[] ids : sequences) {
            results.add(run(new Scoring(ids, OptionalInt.empty())).scores);
        }
        return results;
    }

    /// The same for one text, with the `top` likeliest tokens at each place.
    List<LogProbabilities> logProbabilities(int[] ids, int top) {
        engine.check(ids);
        return run(new Scoring(ids, OptionalInt.of(top))).withTop;
    }

    private Scores run(Scoring job) {
        scheduler.submit(job);
        try {
            return job.result.join();
        } catch (CompletionException e) {
            throw new PenjingException("scoring failed: " + e.getMessage(), e);
        }
    }

    /// @param withTop empty unless asked for
    private record Scores(float[] scores, List<LogProbabilities> withTop) {}

    /// One text, scored between two steps of the scheduler.
    private final class Scoring implements Scheduler.Job {
        private final int[] ids;
        private final OptionalInt top;
        private final CompletableFuture<Scores> result = new CompletableFuture<>();

        Scoring(int[] ids, OptionalInt top) {
            this.ids = ids;
            this.top = top;
        }

        @Override
        public void run(Transformer transformer, BlockManager manager) {
            int[] blocks = new int[Math.ceilDiv(ids.length, KeyValuePool.BLOCK)];
            if (manager.available() < blocks.length) {
                // running sequences hold the memory: later
                scheduler.submit(this);
                return;
            }
            for (int i = 0; i < blocks.length; i++) {
                blocks[i] = manager.take();
            }
            try {
                result.complete(score(transformer, ids, blocks, top));
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            } finally {
                for (int block : blocks) {
                    manager.release(block);
                }
            }
        }

        @Override
        public void fail() {
            result.completeExceptionally(new PenjingException("the engine was closed"));
        }
    }

    private Scores score(Transformer transformer, int[] ids, int[] blocks, OptionalInt top) {
        int stride = transformer.logitsStride();
        int rows = Math.min(ROWS, transformer.maxRows());
        float[] logits = new float[rows * stride];
        double[] norms = new double[rows];
        int vocabulary = engine.config().vocabularySize();
        List<LogProbabilities> withTop = new ArrayList<>();
        float[] scores = new float[ids.length - 1];
        Batch batch = new Batch(rows);
        for (int from = 0; from < scores.length; from += rows) {
            batch.clear();
            int count = Math.min(rows, scores.length - from);
            for (int i = 0; i < count; i++) {
                batch.add(ids[from + i], from + i, blocks, true);
            }
            transformer.forward(batch, logits);
            transformer.logNorms(logits, count, norms);
            for (int i = 0; i < count; i++) {
                int id = ids[from + i + 1];
                scores[from + i] = (float) (logits[i * stride + id] - norms[i]);
                if (top.isPresent()) {
                    float[] row = Arrays.copyOfRange(logits, i * stride, i * stride + vocabulary);
                    withTop.add(Sampler.logProbabilities(row, norms[i], id, top.getAsInt()));
                }
            }
        }
        return new Scores(scores, withTop);
    }

    @Override
    public double[] likelihoods(List<ScoredText> texts) {
        List<float[]> all = logProbabilities(texts.stream().map(ScoredText::ids).toList());
        double[] sums = new double[texts.size()];
        for (int i = 0; i < sums.length; i++) {
            for (int t = texts.get(i).from() - 1; t < all.get(i).length; t++) {
                sums[i] += all.get(i)[t];
            }
        }
        return sums;
    }

    @Override
    public List<int[]> generate(List<Prompt> prompts, IntConsumer done) {
        List<int[]> answers = new ArrayList<>();
        for (Prompt prompt : prompts) {
            answers.add(generate(prompt));
            done.accept(answers.size() - 1);
        }
        return answers;
    }

    private int[] generate(Prompt prompt) {
        List<Integer> made = new ArrayList<>();
        Request request =
                new Request(
                        prompt.ids(),
                        prompt.maxNewTokens(),
                        Sampling.GREEDY,
                        List.of(),
                        java.util.Set.of(),
                        true,
                        OptionalInt.empty(),
                        Optional.empty());
        boolean[] stopped = new boolean[1];
        engine.submit(
                        request,
                        new Listener() {
                            @Override
                            public void token(int id, String text, Optional<LogProbabilities> p) {
                                if (stopped[0]) {
                                    // ends this answer
                                    throw new PenjingException("enough");
                                }
                                made.add(id);
                                stopped[0] = prompt.last().test(id);
                            }

                            @Override
                            public void finished(Finish finish, String rest) {}
                        })
                .awaitEnd();
        return made.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public void close() {}
}
