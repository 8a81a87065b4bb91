package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.language.LanguageModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EngineTest {
    @TempDir static Path directory;
    private static Engine engine;

    @BeforeAll
    static void load() {
        TinyModel.write(directory);
        engine = Engine.load(directory, EngineOptions.DEFAULT.withThreads(2), Progress.NONE);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    /// Collects an answer.
    static class Answer implements Listener {
        final List<Integer> ids = Collections.synchronizedList(new ArrayList<>());
        final StringBuffer text = new StringBuffer();
        final List<LogProbabilities> probabilities = new ArrayList<>();

        @Override
        public void token(int id, String piece, Optional<LogProbabilities> p) {
            ids.add(id);
            text.append(piece);
            p.ifPresent(probabilities::add);
        }

        @Override
        public void finished(Finish finish, String rest) {
            text.append(rest);
        }
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 1, 280).toArray();
    }

    private static Request request(int[] prompt, int max, Sampling sampling) {
        return new Request(
                prompt,
                max,
                sampling,
                List.of(),
                Set.of(),
                true,
                OptionalInt.empty(),
                Optional.empty());
    }

    private static List<Integer> alone(Request request) {
        Answer answer = new Answer();
        engine.submit(request, answer).awaitEnd();
        return answer.ids;
    }

    @Test
    void aSequenceGetsTheSameTokensInABatchAsAlone() {
        Random random = new Random(7);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            Sampling sampling = i % 3 == 0 ? Sampling.GREEDY : Sampling.at(1.2f, i);
            requests.add(
                    request(
                            prompt(random, 1 + random.nextInt(90)),
                            1 + random.nextInt(60),
                            sampling));
        }
        List<List<Integer>> expected = requests.stream().map(EngineTest::alone).toList();
        List<Answer> answers = new ArrayList<>();
        List<Generation> running = new ArrayList<>();
        for (Request request : requests) {
            Answer answer = new Answer();
            answers.add(answer);
            running.add(engine.submit(request, answer));
        }
        running.forEach(Generation::awaitEnd);
        for (int i = 0; i < requests.size(); i++) {
            assertThat(answers.get(i).ids).as("request %d", i).isEqualTo(expected.get(i));
        }
    }

    @Test
    void aKnownBeginningIsNotComputedAgainAndChangesNothing() {
        int[] prompt = prompt(new Random(99), 100);
        Answer first = new Answer();
        Answer second = new Answer();
        Finish fresh = engine.submit(request(prompt, 20, Sampling.GREEDY), first).awaitEnd();
        Finish again = engine.submit(request(prompt, 20, Sampling.GREEDY), second).awaitEnd();
        assertThat(fresh.cachedTokens()).isZero();
        assertThat(again.cachedTokens()).isEqualTo(96);
        assertThat(second.ids).isEqualTo(first.ids);
    }

    @Test
    void scoresAreTheLogarithmsOfWhatGenerationDrawsFrom() {
        LanguageModel model = engine.languageModel();
        int[] prompt = prompt(new Random(3), 30);
        Answer answer = new Answer();
        Request request =
                new Request(
                        prompt,
                        10,
                        Sampling.GREEDY,
                        List.of(),
                        Set.of(),
                        true,
                        OptionalInt.of(3),
                        Optional.empty());
        engine.submit(request, answer).awaitEnd();
        int[] all = Arrays.copyOf(prompt, 40);
        for (int i = 0; i < 10; i++) {
            all[30 + i] = answer.ids.get(i);
        }
        float[] scores = model.logProbabilities(List.of(all)).getFirst();
        for (int i = 0; i < 10; i++) {
            LogProbabilities p = answer.probabilities.get(i);
            assertThat(p.chosen()).isCloseTo(scores[29 + i], within(1e-5));
            assertThat(p.top()).hasSize(3);
            assertThat(p.top().getFirst().id()).isEqualTo(answer.ids.get(i));
            assertThat(p.top().getFirst().logProbability()).isEqualTo(p.chosen());
            assertThat(p.top().get(1).logProbability())
                    .isGreaterThanOrEqualTo(p.top().get(2).logProbability());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "64, 96, 2, 4, 2, 16",
        "80, 72, 1, 3, 1, 24",
        "48, 40, 2, 2, 2, 10",
        "96, 64, 1, 4, 4, 32"
    })
    void anyShapeAgreesWithFloats(
            int hidden,
            int intermediate,
            int layers,
            int heads,
            int keys,
            int headDim,
            @TempDir Path at) {
        TinyModel.write(
                at,
                ", \"attention_bias\": true",
                hidden,
                intermediate,
                layers,
                heads,
                keys,
                headDim);
        int[] ids = prompt(new Random(1), 40);
        float[] expected = FloatReference.logProbabilities(at, ids);
        try (Engine other = Engine.load(at, EngineOptions.DEFAULT.withThreads(1), Progress.NONE)) {
            float[] scores = other.languageModel().logProbabilities(List.of(ids)).getFirst();
            // eight bits leave some noise; a wrong term would be off by whole units
            double sum = 0;
            for (int i = 0; i < scores.length; i++) {
                assertThat(scores[i]).as("position %d", i).isCloseTo(expected[i], within(0.5f));
                sum += Math.abs(scores[i] - expected[i]);
            }
            assertThat(sum / scores.length).isLessThan(0.1);
        }
    }

    private static Request eager(
            int least, Set<Integer> stopTokens, List<String> stops, int likes) {
        return new Request(
                prompt(new Random(5), 12),
                30,
                least,
                new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(likes, 100f), OptionalLong.empty()),
                stops,
                stopTokens,
                false,
                OptionalInt.of(0),
                Optional.empty());
    }

    /// A model that wants to end at once: by an end of text, by a stop token, by a stop text.
    @Test
    void nothingEndsAnAnswerBeforeItsLeastLength() {
        int end = engine.tokenizer().id("<|endoftext|>").orElseThrow();
        int letter = engine.tokenizer().encode("e")[0];
        for (int least : new int[] {0, 1, 7, 30}) {
            for (Request request :
                    List.of(
                            eager(least, Set.of(), List.of(), end),
                            eager(least, Set.of(letter), List.of(), letter))) {
                Answer answer = new Answer();
                Finish finish = engine.submit(request, answer).awaitEnd();
                // and then the token that ends it
                assertThat(finish.newTokens()).isEqualTo(Math.min(30, least + 1));
                assertThat(finish.reason())
                        .isEqualTo(least == 30 ? Finish.Reason.LENGTH : Finish.Reason.STOP);
                List<Integer> barred = answer.ids.subList(0, least);
                assertThat(barred).doesNotContain(end, letter);
            }
            Answer answer = new Answer();
            Finish finish =
                    engine.submit(eager(least, Set.of(), List.of("e"), letter), answer).awaitEnd();
            assertThat(finish.newTokens()).isEqualTo(Math.min(30, least + 1));
            assertThat(answer.text.toString()).isEqualTo("e".repeat(least));
        }
    }

    @Test
    void theLeastLengthIsNotAboveTheLargest() {
        Request request = Request.of(new int[] {1}, 5, Sampling.GREEDY);
        assertThat(request.atLeast(5).minNewTokens()).isEqualTo(5);
        assertThatThrownBy(() -> request.atLeast(6)).hasMessageContaining("min_tokens");
        assertThatThrownBy(() -> request.atLeast(-1)).hasMessageContaining("min_tokens");
    }

    @Test
    void thousandsOfRequestsLeaveNothingBehind() {
        Random random = new Random(11);
        List<Generation> running = new ArrayList<>();
        BitSet broken = new BitSet();
        for (int i = 0; i < 2_000; i++) {
            int[] prompt = prompt(random, 1 + random.nextInt(70));
            Sampling sampling =
                    new Sampling(
                            random.nextFloat() * 2,
                            random.nextInt(50),
                            0.1f + random.nextFloat() * 0.9f,
                            random.nextFloat() * 0.2f,
                            0.8f + random.nextFloat(),
                            random.nextFloat(),
                            -random.nextFloat(),
                            Map.of(random.nextInt(280), 3f),
                            OptionalLong.of(i));
            List<String> stops = random.nextInt(4) == 0 ? List.of("a", "the c") : List.of();
            Request request =
                    new Request(
                            prompt,
                            1 + random.nextInt(40),
                            sampling,
                            stops,
                            Set.of(random.nextInt(280)),
                            random.nextBoolean(),
                            random.nextBoolean() ? OptionalInt.of(2) : OptionalInt.empty(),
                            Optional.empty());
            broken.set(i, random.nextInt(20) == 0);
            Listener listener =
                    broken.get(i)
                            ? new Listener() {
                                @Override
                                public void token(int id, String t, Optional<LogProbabilities> p) {
                                    throw new IllegalStateException("a listener's own fault");
                                }

                                @Override
                                public void finished(Finish finish, String rest) {}
                            }
                            : new Answer();
            Generation generation = engine.submit(request, listener);
            running.add(generation);
            if (random.nextInt(5) == 0) {
                running.get(random.nextInt(running.size())).cancel();
            }
        }
        for (int i = 0; i < running.size(); i++) {
            Finish finish = running.get(i).awaitEnd();
            if (finish.reason() == Finish.Reason.FAILED) {
                assertThat(broken.get(i)).isTrue();
                assertThat(finish.cause().orElseThrow()).hasMessage("a listener's own fault");
            } else {
                // one that was cancelled first never had a token
                assertThat(broken.get(i) && finish.newTokens() > 0).isFalse();
            }
        }
        EngineLoad load = engine.load();
        assertThat(load.running()).isZero();
        assertThat(load.waiting()).isZero();
        assertThat(load.freeBlocks()).isEqualTo(load.blocks());
    }

    @Test
    void stopTextsAreFoundAcrossTokensAndNeverShown() {
        int[] prompt = prompt(new Random(5), 12);
        Answer whole = new Answer();
        engine.submit(request(prompt, 40, Sampling.at(1, 4)), whole).awaitEnd();
        String text = whole.text.toString();
        String stop = text.substring(text.length() / 2, text.length() / 2 + 3);
        Answer cut = new Answer();
        Request request =
                new Request(
                        prompt,
                        40,
                        Sampling.at(1, 4),
                        List.of(stop, "never said"),
                        Set.of(),
                        true,
                        OptionalInt.empty(),
                        Optional.empty());
        Finish finish = engine.submit(request, cut).awaitEnd();
        assertThat(finish.reason()).isEqualTo(Finish.Reason.STOP);
        assertThat(cut.text.toString()).isEqualTo(text.substring(0, text.indexOf(stop)));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatThrownBy(() ->
                        engine.submit(request(new int[256], 1, Sampling.GREEDY), new Answer()))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("context of 256");
        assertThatThrownBy(() ->
                        engine.submit(
                                request(new int[] {1 << 20}, 1, Sampling.GREEDY), new Answer()))
                .hasMessageContaining("outside the vocabulary");
    }

    @Test
    void anEngineThatClosesEndsItsAnswers(@TempDir Path at) {
        TinyModel.write(at);
        Engine other = Engine.load(at, EngineOptions.DEFAULT, Progress.NONE);
        List<Generation> running = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            running.add(
                    other.submit(request(new int[] {1, 2, 3}, 250, Sampling.GREEDY), new Answer()));
        }
        other.close();
        assertThat(running)
                .anyMatch(g -> g.awaitEnd().reason() == Finish.Reason.FAILED)
                .allMatch(g -> g.awaitEnd() != null);
    }

    @Test
    void scoringWorksInSmallBatchesAndEndsWhenTheEngineDoes(@TempDir Path at) {
        TinyModel.write(at);
        int[] ids = prompt(new Random(8), 90);
        EngineOptions small = new EngineOptions(1, Optional.empty(), 0, 2, 5);
        Engine other = Engine.load(at, small, Progress.NONE);
        LanguageModel model = other.languageModel();
        assertThat(model.logProbabilities(List.of(ids)).getFirst())
                .isEqualTo(engine.languageModel().logProbabilities(List.of(ids)).getFirst());
        other.close();
        assertThatThrownBy(() -> model.logProbabilities(List.of(ids)))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("closed");
    }
}
