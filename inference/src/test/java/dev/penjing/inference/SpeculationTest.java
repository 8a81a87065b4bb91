package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.DraftUse;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.inference.measuring.SpeedTest;
import dev.penjing.inference.speculation.Drafter;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A draft changes the time that a text takes, and not a bit of the text.
class SpeculationTest {
    /// How good the draft is.
    enum Draft {
        SAME(0),
        SIMILAR(0.02),
        WRONG(0.5);

        final double noise;

        Draft(double noise) {
            this.noise = noise;
        }
    }

    @TempDir static Path directory;
    private static Engine plain;

    @BeforeAll
    static void load() {
        TinyModel.write(directory.resolve("target"));
        for (Draft draft : Draft.values()) {
            TinyModel.similar(directory.resolve(draft.name()), draft.noise);
        }
        plain = Engine.load(target(), EngineOptions.DEFAULT.withThreads(2), Progress.NONE);
    }

    @AfterAll
    static void close() {
        plain.close();
    }

    private static Path target() {
        return directory.resolve("target");
    }

    private static Engine with(Draft draft, int tokens) {
        EngineOptions options =
                EngineOptions.DEFAULT
                        .withThreads(2)
                        .withDraft(directory.resolve(draft.name()), tokens);
        Engine engine = Engine.load(target(), options, Progress.NONE);
        // how often, the clock would say
        engine.draft(DraftUse.ALWAYS);
        return engine;
    }

    /// Everything that a listener is told, but for times and a draft's figures.
    private record Told(
            List<Integer> ids,
            String text,
            List<LogProbabilities> probabilities,
            Finish.Reason reason,
            int newTokens) {}

    private static Told told(EngineTest.Answer answer, Finish finish) {
        return new Told(
                answer.ids,
                answer.text.toString(),
                answer.probabilities,
                finish.reason(),
                finish.newTokens());
    }

    private static Told ask(Engine engine, Request request) {
        EngineTest.Answer answer = new EngineTest.Answer();
        return told(answer, engine.submit(request, answer).awaitEnd());
    }

    private static int[] prompt(Random random, int length) {
        return random.ints(length, 1, 280).toArray();
    }

    /// No tokens that the model has and the tokenizer has not: they end an answer.
    private static Map<Integer, Float> known(Map<Integer, Float> bias) {
        Map<Integer, Float> all = new HashMap<>(bias);
        for (int id = plain.tokenizer().vocabularySize();
                id < plain.config().vocabularySize();
                id++) {
            all.put(id, -1000f);
        }
        return all;
    }

    private static Sampling at(float temperature, long seed) {
        return new Sampling(temperature, 0, 1, 0, 1, 0, 0, known(Map.of()), OptionalLong.of(seed));
    }

    private static Request plain(int[] prompt, int max, Sampling sampling) {
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

    /// Requests of all kinds, one the beginning of another now and then.
    private static List<Request> requests(int count, long seed) {
        Random random = new Random(seed);
        int[] shared = prompt(random, 150);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt =
                    random.nextInt(3) == 0
                            ? java.util.Arrays.copyOf(shared, 1 + random.nextInt(150))
                            : prompt(random, 1 + random.nextInt(90));
            requests.add(
                    new Request(
                            prompt,
                            1 + random.nextInt(120),
                            sampling(random, i),
                            random.nextInt(3) == 0 ? List.of("a", "t c", "é") : List.of(),
                            random.nextInt(3) == 0 ? Set.of(random.nextInt(280)) : Set.of(),
                            random.nextBoolean(),
                            random.nextInt(3) == 0 ? OptionalInt.of(2) : OptionalInt.empty(),
                            form(random)));
        }
        return requests;
    }

    private static Optional<Constraint> form(Random random) {
        return switch (random.nextInt(10)) {
            case 0 -> Optional.of(Constraint.json());
            case 1 -> Optional.of(Constraint.regex("([a-m]{2,9}, ?)*the end\\.*"));
            case 2 -> Optional.of(Constraint.choice(List.of("the cat", "the cat sat", "a")));
            default -> Optional.empty();
        };
    }

    private static Sampling sampling(Random random, long seed) {
        return switch (random.nextInt(4)) {
            case 0 -> Sampling.GREEDY;
            case 1 -> at(1, seed);
            case 2 -> at(0.3f, seed);
            default ->
                    new Sampling(
                            random.nextInt(3) * 0.5f,
                            random.nextInt(20),
                            0.5f + random.nextFloat() * 0.5f,
                            random.nextFloat() * 0.1f,
                            0.8f + random.nextFloat(),
                            random.nextFloat(),
                            -random.nextFloat(),
                            known(Map.of(random.nextInt(280), 3f)),
                            OptionalLong.of(seed));
        };
    }

    @ParameterizedTest
    @EnumSource
    void theTextIsTheSameBitForBit(Draft draft) {
        try (Engine engine = with(draft, 4)) {
            for (Request request : requests(60, 5)) {
                assertThat(ask(engine, request)).isEqualTo(ask(plain, request));
            }
            DraftLoad load = engine.load().draft();
            assertThat(load.proposed()).isPositive();
            if (draft == Draft.SIMILAR) {
                assertThat(load.accepted()).isBetween(1L, load.proposed() - 1);
            }
            assertThat(load.freeBlocks()).isEqualTo(load.blocks());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 12})
    void andWhateverElseRuns(int atOnce) {
        List<Request> requests = requests(60, 6);
        List<Told> expected = requests.stream().map(r -> ask(plain, r)).toList();
        EngineOptions options =
                new EngineOptions(2, Optional.empty(), 0, atOnce, 23)
                        .withDraft(directory.resolve(Draft.SIMILAR.name()), 8);
        try (Engine engine = Engine.load(target(), options, Progress.NONE)) {
            List<EngineTest.Answer> answers =
                    Stream.generate(EngineTest.Answer::new).limit(requests.size()).toList();
            List<Generation> running = new ArrayList<>();
            for (int i = 0; i < requests.size(); i++) {
                running.add(engine.submit(requests.get(i), answers.get(i)));
            }
            for (int i = 0; i < requests.size(); i++) {
                assertThat(told(answers.get(i), running.get(i).awaitEnd()))
                        .as("request %d", i)
                        .isEqualTo(expected.get(i));
            }
            if (atOnce <= Drafter.MANY) {
                assertThat(engine.load().draft().accepted()).isPositive();
            }
        }
    }

    @Test
    void aDraftThatIsTheTargetIsAlwaysRight() {
        try (Engine engine = with(Draft.SAME, 4)) {
            EngineTest.Answer answer = new EngineTest.Answer();
            Request request = plain(prompt(new Random(1), 70), 101, at(0, 0));
            Finish finish = engine.submit(request, answer).awaitEnd();
            // the first token comes of the prompt; then four and one at a time
            assertThat(finish.acceptedTokens()).isEqualTo(80);
            assertThat(finish.proposedTokens()).isEqualTo(80);
            assertThat(finish.acceptance()).isEqualTo(1);
            assertThat(answer.ids).isEqualTo(ask(plain, request).ids());
        }
    }

    @Test
    void penaltiesAndBiasDoNotMakeItWrong() {
        try (Engine engine = with(Draft.SAME, 1)) {
            Sampling sampling =
                    new Sampling(
                            0,
                            0,
                            1,
                            0,
                            1.3f,
                            0.5f,
                            0.5f,
                            known(Map.of(7, 5f)),
                            OptionalLong.empty());
            Request request = plain(prompt(new Random(2), 20), 101, sampling);
            Finish finish = engine.submit(request, new EngineTest.Answer()).awaitEnd();
            assertThat(finish.acceptance()).isEqualTo(1);
        }
    }

    /// Without the masks, its proposals would be what the model says when it is free, which a form
    /// may not allow.
    @ParameterizedTest
    @ValueSource(strings = {"[a-z]{2,5}(, [a-z]{2,5})*", "(\\d{1,3} ){90}", "(yes|no|cat){60}"})
    void constraintsDoNotMakeItWrong(String pattern) {
        try (Engine engine = with(Draft.SAME, 4)) {
            for (int seed = 0; seed < 3; seed++) {
                Request request =
                        plain(prompt(new Random(seed), 30), 101, at(0, 0))
                                .constrained(Constraint.regex(pattern));
                EngineTest.Answer answer = new EngineTest.Answer();
                Finish finish = engine.submit(request, answer).awaitEnd();
                assertThat(told(answer, finish)).isEqualTo(ask(plain, request));
                assertThat(finish.proposedTokens()).isPositive();
                assertThat(finish.acceptance()).isEqualTo(1);
            }
        }
    }

    @Test
    void nothingIsProposedThatWouldEndAForm() {
        try (Engine engine = with(Draft.SAME, 8)) {
            Request request =
                    plain(prompt(new Random(1), 30), 101, at(0, 0))
                            .constrained(Constraint.regex("[01][01][01][01]"));
            Finish finish = engine.submit(request, new EngineTest.Answer()).awaitEnd();
            assertThat(finish.reason()).isEqualTo(Finish.Reason.STOP);
            assertThat(finish.newTokens()).isEqualTo(4);
            // the first comes of the prompt, and behind the last nothing does
            assertThat(finish.proposedTokens()).isEqualTo(2).isEqualTo(finish.acceptedTokens());
        }
    }

    @Test
    void aDraftThatIsWrongIsSoonLeftAlone() {
        try (Engine engine = with(Draft.WRONG, 4)) {
            Request request = plain(prompt(new Random(1), 20), 200, at(1, 3));
            Finish finish = engine.submit(request, new EngineTest.Answer()).awaitEnd();
            assertThat(finish.proposedTokens()).isBetween(4, 25);
            assertThat(finish.acceptance()).isLessThan(0.5);
        }
    }

    @Test
    void aDraftThatWasSwitchedOffCatchesUp() {
        try (Engine engine = with(Draft.SAME, 4)) {
            engine.draft(DraftUse.NEVER);
            Request request = plain(prompt(new Random(3), 60), 150, at(0, 0));
            EngineTest.Answer answer =
                    new EngineTest.Answer() {
                        @Override
                        public void token(int id, String piece, Optional<LogProbabilities> p) {
                            super.token(id, piece, p);
                            engine.draft(ids.size() >= 50 ? DraftUse.ALWAYS : DraftUse.NEVER);
                        }
                    };
            Finish finish = engine.submit(request, answer).awaitEnd();
            assertThat(finish.proposedTokens()).isEqualTo(80).isEqualTo(finish.acceptedTokens());
            assertThat(answer.ids).isEqualTo(ask(plain, request).ids());
        }
    }

    @Test
    void itsSpeedIsTimedBesideTheModelsOwn() {
        int[] text = prompt(new Random(10), 900);
        try (Engine engine = with(Draft.SAME, 4)) {
            SpeedTest.Row row = SpeedTest.run(engine, Optional.of(text), 2, 40, 30, 2);
            SpeedTest.Drafted drafted = row.drafted().orElseThrow();
            assertThat(row.decodeTokensPerSecond()).isPositive();
            assertThat(drafted.decodeTokensPerSecond()).isPositive();
            assertThat(drafted.acceptance()).isBetween(0.9, 1.0);
            assertThatThrownBy(() -> SpeedTest.run(engine, Optional.of(new int[9]), 1, 10, 10, 1))
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("comes to 9 tokens");
        }
        assertThat(SpeedTest.run(plain, Optional.empty(), 2, 40, 30, 1).drafted()).isEmpty();
    }

    @Test
    void manySequencesRunWithoutIt() {
        try (Engine engine = with(Draft.SAME, 4)) {
            List<Generation> running = new ArrayList<>();
            Random random = new Random(9);
            for (int i = 0; i < 12; i++) {
                Request request = plain(prompt(random, 30), 100, at(0, 0));
                running.add(engine.submit(request, new EngineTest.Answer()));
            }
            int proposed = running.stream().mapToInt(g -> g.awaitEnd().proposedTokens()).sum();
            assertThat(proposed).isLessThan(12 * 80 / 2);
        }
    }

    @Test
    void whatAListenerBreaksOrCancelsEndsThereAndThen() {
        try (Engine engine = with(Draft.SAME, 8)) {
            for (int stop = 1; stop < 20; stop++) {
                int last = stop;
                for (boolean broken : new boolean[] {true, false}) {
                    List<Generation> own = new ArrayList<>();
                    List<Integer> ids = new ArrayList<>();
                    java.util.concurrent.CountDownLatch known =
                            new java.util.concurrent.CountDownLatch(1);
                    Listener listener =
                            new Listener() {
                                @Override
                                public void token(int id, String t, Optional<LogProbabilities> p) {
                                    ids.add(id);
                                    if (ids.size() == last && broken) {
                                        throw new IllegalStateException("its own fault");
                                    }
                                    if (ids.size() == last) {
                                        known.countDown();
                                        waitFor(own);
                                        own.getFirst().cancel();
                                    }
                                }

                                @Override
                                public void finished(Finish finish, String rest) {}
                            };
                    Request request = plain(new int[] {5, 6, 7}, 60, at(0, 0));
                    Generation generation = engine.submit(request, listener);
                    synchronized (own) {
                        own.add(generation);
                        own.notifyAll();
                    }
                    Finish finish = generation.awaitEnd();
                    assertThat(finish.reason())
                            .isEqualTo(broken ? Finish.Reason.FAILED : Finish.Reason.CANCELLED);
                    assertThat(ids).hasSize(last);
                    assertThat(finish.newTokens()).isEqualTo(last);
                }
            }
        }
    }

    private static void waitFor(List<Generation> own) {
        synchronized (own) {
            while (own.isEmpty()) {
                try {
                    own.wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    @Test
    void hundredsOfRequestsLeaveNothingBehindInEitherPool() {
        Random random = new Random(12);
        EngineOptions options =
                // room for a few sequences: blocks change hands
                new EngineOptions(2, Optional.empty(), 1 << 19, 4, 32)
                        .withDraft(directory.resolve(Draft.SIMILAR.name()), 4);
        try (Engine engine = Engine.load(target(), options, Progress.NONE)) {
            List<Generation> running = new ArrayList<>();
            List<EngineTest.Answer> answers = new ArrayList<>();
            List<Request> requests = requests(500, 13);
            List<Boolean> all = new ArrayList<>();
            for (Request request : requests) {
                boolean broken = random.nextInt(10) == 0;
                all.add(broken);
                EngineTest.Answer answer =
                        new EngineTest.Answer() {
                            @Override
                            public void token(int id, String piece, Optional<LogProbabilities> p) {
                                super.token(id, piece, p);
                                if (broken && ids.size() == 9) {
                                    throw new IllegalStateException("a listener's own fault");
                                }
                            }
                        };
                answers.add(answer);
                running.add(engine.submit(request, answer));
                if (random.nextInt(5) == 0) {
                    running.get(random.nextInt(running.size())).cancel();
                }
            }
            for (int i = 0; i < requests.size(); i++) {
                Finish finish = running.get(i).awaitEnd();
                assertThat(finish.reason() == Finish.Reason.FAILED)
                        .isEqualTo(all.get(i) && answers.get(i).ids.size() == 9);
                if (i % 10 == 0) {
                    List<Integer> whole = ask(plain, requests.get(i)).ids();
                    assertThat(answers.get(i).ids)
                            .as("request %d", i)
                            .isEqualTo(whole.subList(0, answers.get(i).ids.size()));
                }
            }
            EngineLoad load = engine.load();
            assertThat(load.running()).isZero();
            assertThat(load.freeBlocks()).isEqualTo(load.blocks());
            assertThat(load.draft().freeBlocks()).isEqualTo(load.draft().blocks());
            assertThat(load.draft().accepted()).isPositive();
        }
    }

    @Test
    void aDraftWithAShorterContextHelpsAsFarAsItSees() {
        Path small = directory.resolve("short");
        TinyModel.write(small, ", \"tie_word_embeddings\": true", 64, 96, 2, 4, 2, 16);
        dev.penjing.model.architecture.ModelConfig config =
                dev.penjing.model.architecture.ModelConfig.read(small.resolve("config.json"));
        shorten(small.resolve("config.json"), config.maxPositionEmbeddings(), 100);
        EngineOptions options = EngineOptions.DEFAULT.withThreads(2).withDraft(small, 4);
        try (Engine engine = Engine.load(target(), options, Progress.NONE)) {
            for (int length : new int[] {20, 95, 99, 100, 101, 130}) {
                Request request = plain(prompt(new Random(4), length), 120, at(0, 0));
                EngineTest.Answer answer = new EngineTest.Answer();
                Finish finish = engine.submit(request, answer).awaitEnd();
                assertThat(answer.ids).isEqualTo(ask(plain, request).ids());
                assertThat(finish.acceptedTokens()).isEqualTo(finish.proposedTokens());
                assertThat(finish.proposedTokens() > 0).isEqualTo(length < 99);
            }
        }
    }

    private static void shorten(Path config, int from, int to) {
        try {
            String text = java.nio.file.Files.readString(config);
            java.nio.file.Files.writeString(
                    config, text.replace(Integer.toString(from), Integer.toString(to)));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void otherTokensAreRefused(@TempDir Path at) {
        int size = TinyModel.tokenizer().vocabularySize();
        for (int vocabulary : new int[] {size, size - 20}) {
            Path foreign = at.resolve("v" + vocabulary);
            TinyModel.foreign(foreign, vocabulary);
            EngineOptions options = EngineOptions.DEFAULT.withDraft(foreign, 4);
            assertThatThrownBy(() -> Engine.load(target(), options, Progress.NONE))
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("the model's own tokens");
        }
        assertThatThrownBy(() -> EngineOptions.DEFAULT.withDraft(at, 9))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("between 1 and 8");
    }
}
