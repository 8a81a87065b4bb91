package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.forward.Transformer;
import dev.penjing.inference.scoring.ScoredTexts;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The engine as something to measure.
class EngineModelTest {
    private static final int VOCABULARY = 280;

    /// Bytes of a block of [TinyModel]'s keys and values: 2 layers, 2 heads of 16, twice, float16.
    private static final long BLOCK_BYTES = 2 * 2 * 16 * 2 * 2 * Transformer.BLOCK_TOKENS;

    @TempDir static Path directory;
    @TempDir static Path windowed;
    private static Engine engine;

    @BeforeAll
    static void load() {
        TinyModel.write(directory);
        TinyModel.write(windowed, ", \"sliding_window\": 40", 64, 96, 2, 4, 2, 16);
        engine = Engine.load(directory, EngineOptions.DEFAULT.withThreads(2), Progress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static double[] oneByOne(LanguageModel model, List<ScoredText> texts) {
        double[] sums = new double[texts.size()];
        for (int i = 0; i < sums.length; i++) {
            ScoredText text = texts.get(i);
            float[] scores = model.logProbabilities(List.of(text.ids())).getFirst();
            assertThat(scores).hasSize(text.ids().length - 1);
            for (int t = text.from() - 1; t < scores.length; t++) {
                sums[i] += scores[t];
            }
        }
        return sums;
    }

    private static void nothingIsLeftIn(Engine engine) {
        // what the engine holds is known after the step
        for (int i = 0; engine.load().freeBlocks() < engine.load().blocks() && i < 1000; i++) {
            engine.complete("a", 1, Sampling.GREEDY);
        }
        assertThat(engine.load().freeBlocks()).isEqualTo(engine.load().blocks());
    }

    /// @param blocks of keys and values
    /// @param chunk and two more are the rows of a pass
    @ParameterizedTest
    @CsvSource({"1000, 256", "1000, 3", "8, 64", "9, 30", "13, 256", "30, 7"})
    void likelihoodsAreSumsOfLogProbabilities(int blocks, int chunk) {
        Random random = new Random(blocks + chunk);
        EngineOptions options =
                new EngineOptions(1, Optional.empty(), blocks * BLOCK_BYTES, 2, chunk);
        try (Engine small = Engine.load(directory, options, Progress.NONE)) {
            assertThat(small.load().blocks()).isEqualTo(blocks);
            for (int round = 0; round < 3; round++) {
                List<ScoredText> texts = ScoredTexts.random(random, 60, small.contextLength());
                double[] expected = oneByOne(engine.languageModel(), texts);
                double[] sums = small.languageModel().likelihoods(texts);
                for (int i = 0; i < sums.length; i++) {
                    assertThat(sums[i]).as("text %d", i).isCloseTo(expected[i], within(1e-3));
                }
                nothingIsLeftIn(small);
            }
        }
    }

    @Test
    void aTextThatFillsAllMemoryIsScored() {
        EngineOptions options = new EngineOptions(2, Optional.empty(), 3 * BLOCK_BYTES, 2, 256);
        try (Engine small = Engine.load(directory, options, Progress.NONE)) {
            assertThat(small.contextLength()).isEqualTo(96);
            // the last is only predicted
            int[] ids = new Random(2).ints(97, 1, VOCABULARY).toArray();
            List<ScoredText> texts = new ArrayList<>();
            // each a little shorter than the one before, and other from there
            for (int i = 0; i < 96; i++) {
                int[] other = ids.clone();
                for (int k = 97 - i; k < 97; k++) {
                    other[k] = 1 + (other[k] + i) % (VOCABULARY - 1);
                }
                texts.add(new ScoredText(other, 1));
            }
            double[] sums = small.languageModel().likelihoods(texts);
            assertThat(sums)
                    .usingComparatorWithPrecision(1e-3)
                    .containsExactly(oneByOne(engine.languageModel(), texts));
            nothingIsLeftIn(small);
        }
    }

    @Test
    void slidingWindowsDoNotMindWhatIsShared() {
        try (Engine other = Engine.load(windowed, EngineOptions.DEFAULT, Progress.NONE)) {
            List<ScoredText> texts = ScoredTexts.random(new Random(6), 80, 250);
            double[] expected = oneByOne(other.languageModel(), texts);
            assertThat(other.languageModel().likelihoods(texts))
                    .usingComparatorWithPrecision(1e-3)
                    .containsExactly(expected);
            assertThat(expected).isNotEqualTo(oneByOne(engine.languageModel(), texts));
        }
    }

    @Test
    void scoresAndAnswersAreMadeBesideOneAnother() {
        Random random = new Random(12);
        EngineOptions options = new EngineOptions(2, Optional.empty(), 20 * BLOCK_BYTES, 3, 40);
        List<ScoredText> texts = ScoredTexts.random(random, 100, 200);
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            prompts.add(prompt(random, 1 + random.nextInt(120), 1 + random.nextInt(100), 0.7, i));
        }
        double[] sums = engine.languageModel().likelihoods(texts);
        List<int[]> answers = engine.languageModel().generate(prompts, done -> {});
        try (Engine small = Engine.load(directory, options, Progress.NONE)) {
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                all.add(
                        CompletableFuture.runAsync(() ->
                                assertThat(small.languageModel().likelihoods(texts))
                                        .usingComparatorWithPrecision(1e-3)
                                        .containsExactly(sums)));
                all.add(
                        CompletableFuture.runAsync(() ->
                                assertThat(small.languageModel().generate(prompts, done -> {}))
                                        .usingElementComparator(Arrays::compare)
                                        .isEqualTo(answers)));
            }
            all.forEach(CompletableFuture::join);
            nothingIsLeftIn(small);
        }
    }

    private static Prompt prompt(
            Random random, int length, int max, double temperature, long seed) {
        return new Prompt(
                random.ints(length, 1, VOCABULARY).toArray(),
                max,
                new Prompt.Draw(temperature, 0.9, seed),
                id -> id % 50 == 0);
    }

    @Test
    void answersAreThoseOfRequestsAndEndWithTheLastId() {
        Random random = new Random(5);
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            prompts.add(prompt(random, 1 + random.nextInt(250), 1 + random.nextInt(60), 0, i));
        }
        BitSet done = new BitSet();
        List<int[]> answers =
                engine.languageModel()
                        .generate(
                                prompts,
                                index -> {
                                    assertThat(done.get(index)).isFalse();
                                    done.set(index);
                                });
        assertThat(done.cardinality()).isEqualTo(200);
        for (int i = 0; i < prompts.size(); i++) {
            Prompt prompt = prompts.get(i);
            EngineTest.Answer whole = new EngineTest.Answer();
            engine.submit(
                            Request.of(prompt.ids(), prompt.maxNewTokens(), Sampling.GREEDY)
                                    .endless(),
                            whole)
                    .awaitEnd();
            int end = 0;
            while (end < whole.ids.size() && (end == 0 || whole.ids.get(end - 1) % 50 != 0)) {
                end++;
            }
            assertThat(answers.get(i))
                    .as("prompt %d", i)
                    .isEqualTo(whole.ids.stream().limit(end).mapToInt(id -> id).toArray());
        }
        assertThat(answers).anyMatch(a -> a[a.length - 1] % 50 == 0);
        assertThat(answers).anyMatch(a -> a[a.length - 1] % 50 != 0);
    }

    @Test
    void drawnAnswersDependOnNothingButTheSeed() {
        Random random = new Random(9);
        Prompt start = prompt(random, 70, 30, 1.3, 0);
        List<Prompt> prompts = new ArrayList<>();
        for (int seed = 0; seed < 40; seed++) {
            prompts.add(
                    new Prompt(
                            start.ids(), 30, new Prompt.Draw(1.3, 0.95, seed % 20), start.last()));
        }
        LanguageModel model = engine.languageModel();
        List<int[]> answers = model.generate(prompts, done -> {});
        for (int seed = 0; seed < 20; seed++) {
            assertThat(answers.get(seed)).isEqualTo(answers.get(seed + 20));
            assertThat(model.generate(prompts.subList(seed, seed + 1), done -> {}).getFirst())
                    .isEqualTo(answers.get(seed));
        }
        assertThat(answers.stream().map(Arrays::toString).distinct().count()).isEqualTo(20);
    }

    @Test
    void promptsThatBeginAlikeShareWhatIsComputedMeanwhile(@TempDir Path at) {
        TinyModel.write(at);
        EngineOptions options = new EngineOptions(1, Optional.empty(), 0, 8, 64);
        int[] start = new Random(2).ints(200, 1, VOCABULARY).toArray();
        try (Engine other = Engine.load(at, options, Progress.NONE)) {
            List<Generation> running = new ArrayList<>();
            List<EngineTest.Answer> answers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int[] ids = start.clone();
                ids[199] = 1 + i;
                answers.add(new EngineTest.Answer());
                running.add(
                        other.submit(
                                Request.of(ids, 10, Sampling.GREEDY).endless(), answers.getLast()));
            }
            int cached = 0;
            for (Generation generation : running) {
                cached += generation.awaitEnd().cachedTokens();
            }
            assertThat(cached).isGreaterThanOrEqualTo(6 * 128);
            for (int i = 0; i < 8; i++) {
                int[] ids = start.clone();
                ids[199] = 1 + i;
                EngineTest.Answer alone = new EngineTest.Answer();
                engine.submit(Request.of(ids, 10, Sampling.GREEDY).endless(), alone).awaitEnd();
                assertThat(answers.get(i).ids).isEqualTo(alone.ids);
            }
            nothingIsLeftIn(other);
        }
    }

    @Test
    void whatCannotBeScoredOrContinuedIsRefused() {
        LanguageModel model = engine.languageModel();
        int context = model.contextLength();
        assertThat(model.logProbabilities(List.of())).isEmpty();
        assertThat(model.likelihoods(List.of())).isEmpty();
        assertThat(model.generate(List.of(), done -> {})).isEmpty();
        assertThat(model.logProbabilities(List.of(new int[] {5})).getFirst()).isEmpty();
        assertThat(model.likelihoods(List.of(new ScoredText(new int[] {5}, 1)))).containsExactly(0);
        // the last is only predicted
        assertThat(model.logProbabilities(List.of(new int[context + 1])).getFirst())
                .hasSize(context);
        refused(() -> model.logProbabilities(List.of(new int[] {1}, new int[0])), "0 tokens");
        refused(() -> model.logProbabilities(List.of(new int[context + 2])), "the context");
        refused(() -> model.logProbabilities(List.of(new int[] {1, 1 << 20})), "vocabulary");
        refused(() -> model.likelihoods(List.of(new ScoredText(new int[] {1, -1}, 1))), "-1");
        refused(() -> generate(new int[0]), "empty");
        refused(() -> generate(new int[context]), "no room");
        refused(() -> generate(new int[] {-1}), "vocabulary");
        nothingIsLeftIn(engine);
    }

    private static List<int[]> generate(int[]... prompts) {
        List<Prompt> all = new ArrayList<>();
        for (int[] ids : prompts) {
            all.add(new Prompt(ids, 5, Prompt.Draw.GREEDY, id -> false));
        }
        return engine.languageModel().generate(all, done -> {});
    }

    private static void refused(Runnable call, String why) {
        assertThatThrownBy(call::run)
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining(why);
    }

    @Test
    void theCallersOwnFailuresEndEverything() {
        IntPredicate failing =
                id -> {
                    throw new IllegalStateException("last failed");
                };
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            IntPredicate last = i == 5 ? failing : id -> false;
            prompts.add(new Prompt(new int[] {1, i}, 200, Prompt.Draw.GREEDY, last));
        }
        LanguageModel model = engine.languageModel();
        assertThatThrownBy(() -> model.generate(prompts, done -> {})).hasMessage("last failed");
        assertThatThrownBy(() ->
                        model.generate(
                                prompts.subList(0, 3),
                                done -> {
                                    throw new IllegalStateException("done failed");
                                }))
                .hasMessage("done failed");
        assertThat(engine.load().running()).isZero();
        nothingIsLeftIn(engine);
    }

    @Test
    void anEngineThatClosesEndsScoresAndAnswers(@TempDir Path at) {
        TinyModel.write(at);
        Engine other = Engine.load(at, EngineOptions.DEFAULT, Progress.NONE);
        LanguageModel model = other.languageModel();
        List<ScoredText> texts = ScoredTexts.random(new Random(3), 20_000, 250);
        CompletableFuture<double[]> scores =
                CompletableFuture.supplyAsync(() -> model.likelihoods(texts));
        Prompt endless = new Prompt(new int[] {1}, 200, Prompt.Draw.GREEDY, id -> false);
        CompletableFuture<List<int[]>> answers =
                CompletableFuture.supplyAsync(
                        () -> model.generate(Collections.nCopies(10_000, endless), done -> {}));
        other.complete("a", 2, Sampling.GREEDY);
        other.close();
        assertThatThrownBy(scores::join).hasMessageContaining("closed");
        assertThatThrownBy(answers::join).hasMessageContaining("closed");
        refused(() -> model.likelihoods(texts.subList(0, 9)), "closed");
    }
}
