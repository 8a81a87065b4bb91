package dev.penjing.inference.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.FakePass;
import dev.penjing.inference.TinyModel;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.inference.constraint.Constraints;
import dev.penjing.inference.constraint.GuidedDecoding;
import dev.penjing.inference.forward.Batch;
import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The scheduler on a model without weights.
@Timeout(120)
class SchedulerTest {
    private static final Tokenizer TOKENIZER = TinyModel.tokenizer();
    private static final int VOCABULARY = TOKENIZER.vocabularySize();
    private static final int END = TOKENIZER.id("<|endoftext|>").orElseThrow();
    private static final int CONTEXT = 200;

    /// What a listener is told.
    private static class Told implements Listener {
        final List<Integer> ids = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void token(int id, String text, Optional<LogProbabilities> p) {
            ids.add(id);
        }

        @Override
        public void finished(Finish finish, String rest) {}
    }

    private static FakePass pass() {
        return new FakePass(60, 8, VOCABULARY, 30);
    }

    private static Scheduler scheduler(FakePass pass) {
        return new Scheduler(pass, Optional.empty(), 10, 20);
    }

    private static Sequence sequence(Request request, Listener listener) {
        return new Sequence(request, listener, TOKENIZER, CONTEXT, Set.of(END), Optional.empty());
    }

    private static int[] prompt(Random random, int most) {
        return random.ints(1 + random.nextInt(most), 0, VOCABULARY).toArray();
    }

    private static Finish run(Scheduler scheduler, Sequence sequence) {
        scheduler.submit(sequence);
        return sequence.awaitEnd();
    }

    private static void nothingIsLeftIn(Scheduler scheduler) {
        scheduler.close();
        assertThat(scheduler.load().running()).isZero();
        assertThat(scheduler.load().freeBlocks()).isEqualTo(scheduler.load().blocks());
    }

    /// The likeliest token each time, computed without a scheduler.
    private static List<Integer> greedy(FakePass pass, int[] prompt, int count) {
        List<Integer> made = new ArrayList<>();
        int[] tokens = prompt;
        while (made.size() < count && (made.isEmpty() || made.getLast() != END)) {
            float[] logits = pass.logits(tokens);
            int best = 0;
            for (int i = 1; i < VOCABULARY; i++) {
                best = logits[i] > logits[best] ? i : best;
            }
            made.add(best);
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = best;
        }
        return made;
    }

    @Test
    void everySequenceGetsItsOwnTokensWhateverElseRuns() {
        Random random = new Random(3);
        int[] shared = random.ints(90, 0, VOCABULARY).toArray();
        FakePass pass = pass();
        try (Scheduler scheduler = scheduler(pass)) {
            List<Request> requests = new ArrayList<>();
            List<Told> told = new ArrayList<>();
            List<Sequence> sequences = new ArrayList<>();
            for (int i = 0; i < 120; i++) {
                int[] prompt =
                        i % 3 == 0
                                ? Arrays.copyOf(shared, 1 + random.nextInt(90))
                                : prompt(random, 60);
                requests.add(Request.of(prompt, 1 + random.nextInt(40), Sampling.GREEDY));
                told.add(new Told());
                sequences.add(sequence(requests.getLast(), told.getLast()));
                scheduler.submit(sequences.getLast());
            }
            int cached = 0;
            for (int i = 0; i < requests.size(); i++) {
                Finish finish = sequences.get(i).awaitEnd();
                Request request = requests.get(i);
                assertThat(told.get(i).ids)
                        .as("request %d", i)
                        .isEqualTo(
                                greedy(new FakePass(1, 1, VOCABULARY, 1), request.prompt(),
                                        request.maxNewTokens()));
                cached += finish.cachedTokens();
            }
            assertThat(cached).isGreaterThan(500);
            nothingIsLeftIn(scheduler);
        }
    }

    @Test
    void aListenerThatThrowsFailsItsOwnAnswerAlone() {
        try (Scheduler scheduler = scheduler(pass())) {
            Told fine = new Told();
            Sequence other = sequence(endless(new int[] {1, 2}, 100), fine);
            scheduler.submit(other);
            Finish broken =
                    run(
                            scheduler,
                            sequence(
                                    endless(new int[] {3}, 50),
                                    new Told() {
                                        @Override
                                        public void token(
                                                int id, String text, Optional<LogProbabilities> p) {
                                            throw new IllegalStateException("its own fault");
                                        }
                                    }));
            assertThat(broken.reason()).isEqualTo(Finish.Reason.FAILED);
            assertThat(broken.cause().orElseThrow()).hasMessage("its own fault");
            assertThat(broken.failure())
                    .hasMessageContaining("its own fault")
                    .hasCauseInstanceOf(IllegalStateException.class);
            assertThat(other.awaitEnd().reason()).isEqualTo(Finish.Reason.LENGTH);
            assertThat(fine.ids).hasSize(100);
            assertThat(scheduler.alive()).isTrue();
            nothingIsLeftIn(scheduler);
        }
    }

    private static Request endless(int[] prompt, int tokens) {
        return Request.of(prompt, tokens, Sampling.GREEDY).endless();
    }

    @Test
    void aListenerMayEndItsAnswerAtAnyCall() {
        try (Scheduler scheduler = scheduler(pass())) {
            Told third =
                    new Told() {
                        @Override
                        public void token(int id, String text, Optional<LogProbabilities> p) {
                            super.token(id, text, p);
                            if (ids.size() == 3) {
                                throw new StopGeneration("that is enough");
                            }
                        }
                    };
            Finish finish = run(scheduler, sequence(endless(new int[] {3}, 50), third));
            assertThat(finish.reason()).isEqualTo(Finish.Reason.CANCELLED);
            assertThat(finish.newTokens()).isEqualTo(3);
            assertThat(finish.cause()).isEmpty();
            Told atOnce =
                    new Told() {
                        @Override
                        public void admitted() {
                            throw new StopGeneration("not wanted any more");
                        }
                    };
            finish = run(scheduler, sequence(endless(new int[] {3}, 50), atOnce));
            assertThat(finish.reason()).isEqualTo(Finish.Reason.CANCELLED);
            Told atLast =
                    new Told() {
                        @Override
                        public void finished(Finish end, String rest) {
                            throw new IllegalStateException("too late to matter");
                        }
                    };
            finish = run(scheduler, sequence(endless(new int[] {3}, 5), atLast));
            assertThat(finish.reason()).isEqualTo(Finish.Reason.LENGTH);
            nothingIsLeftIn(scheduler);
        }
    }

    @Test
    void logitsThatAreNoNumbersFailTheAnswerThatTheyAreOf() {
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            FakePass pass =
                    new FakePass(60, 8, VOCABULARY, 30) {
                        @Override
                        public float[] logits(int[] tokens) {
                            float[] logits = super.logits(tokens);
                            if (tokens[0] == 7 && tokens.length == 5) {
                                logits[VOCABULARY - 1] = wrong;
                            }
                            return logits;
                        }
                    };
            try (Scheduler scheduler = scheduler(pass)) {
                for (Sampling sampling : List.of(Sampling.GREEDY, Sampling.at(1, 1))) {
                    Request request = Request.of(new int[] {7, 8}, 20, sampling).endless();
                    Finish finish = run(scheduler, sequence(request, new Told()));
                    assertThat(finish.reason()).isEqualTo(Finish.Reason.FAILED);
                    assertThat(finish.newTokens()).isEqualTo(3);
                    assertThat(finish.cause().orElseThrow())
                            .isInstanceOf(PenjingException.class)
                            .hasMessageContaining("not finite");
                }
                Finish fine = run(scheduler, sequence(endless(new int[] {6}, 20), new Told()));
                assertThat(fine.reason()).isEqualTo(Finish.Reason.LENGTH);
                nothingIsLeftIn(scheduler);
            }
        }
    }

    @Test
    void aPassThatFailsEndsAllAnswersWithItsCause() throws InterruptedException {
        FakePass pass =
                new FakePass(60, 8, VOCABULARY, 30) {
                    @Override
                    public float[] forward(Batch batch) {
                        if (rows() > 100) {
                            throw new OutOfMemoryError("for a test");
                        }
                        return super.forward(batch);
                    }
                };
        try (Scheduler scheduler = scheduler(pass)) {
            List<Sequence> sequences = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                sequences.add(sequence(endless(new int[] {i}, 100), new Told()));
                scheduler.submit(sequences.getLast());
            }
            for (Sequence sequence : sequences) {
                Finish finish = sequence.awaitEnd();
                assertThat(finish.reason()).isEqualTo(Finish.Reason.FAILED);
                assertThat(finish.cause().orElseThrow())
                        .hasMessageContaining("load the model again")
                        .hasCauseInstanceOf(OutOfMemoryError.class);
            }
            assertThat(scheduler.alive()).isFalse();
            Sequence late = sequence(endless(new int[] {1}, 5), new Told());
            assertThat(run(scheduler, late).reason()).isEqualTo(Finish.Reason.FAILED);
        }
    }

    /// Workers that do nothing until they are told to.
    private static final class Sleepers implements Executor {
        private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        void work() throws InterruptedException {
            tasks.take().run();
        }
    }

    private static Sequence constrained(
            Request request, Told told, Executor workers, Runnable found) {
        Constraints constraints = new Constraints(TOKENIZER, List.of(END), VOCABULARY);
        return new Sequence(
                request,
                told,
                TOKENIZER,
                CONTEXT,
                Set.of(END),
                request.constraint()
                        .map(c -> new GuidedDecoding(constraints.begin(c), workers, found)));
    }

    /// The masks of a constraint that nobody finds: its answer waits, and nobody else's does.
    @Test
    void anAnswerThatWaitsForItsMaskHoldsNobodyUp() throws InterruptedException {
        holdsNobodyUp(
                Request.of(new int[] {1, 2, 3}, 40, Sampling.at(1, 5))
                        .constrained(Constraint.regex("(cat|mat)( sat| on){3}[a-z]{5}")));
    }

    /// A schema by which every bracket may be the beginning of eight kinds of lists, each in eight
    /// kinds: even to take a token is much work.
    @Test
    void noSchemaHoldsOthersUp() throws InterruptedException {
        String kinds =
                IntStream.range(0, 8)
                        .mapToObj(
                                """
                                {"type": "array", "title": "%d", "items": {"$ref": "#"}}"""
                                        ::formatted)
                        .collect(Collectors.joining(","));
        int bracket = TOKENIZER.encode("[")[0];
        Sampling opening =
                new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(bracket, 100f), OptionalLong.empty());
        holdsNobodyUp(
                Request.of(new int[] {1, 2, 3}, 12, opening)
                        .constrained(
                                Constraint.schema(
                                        "{\"anyOf\": [{\"type\": \"null\"}, %s]}".formatted(kinds))));
    }

    private static void holdsNobodyUp(Request request) throws InterruptedException {
        Told expected = new Told();
        Finish end;
        try (Scheduler scheduler = scheduler(pass())) {
            end = run(scheduler, constrained(request, expected, Runnable::run, () -> {}));
        }
        assertThat(expected.ids).hasSizeGreaterThan(3);
        Sleepers sleepers = new Sleepers();
        try (Scheduler scheduler = scheduler(pass())) {
            Told told = new Told();
            Sequence slow = constrained(request, told, sleepers, scheduler::wake);
            scheduler.submit(slow);
            for (int worked = 0; told.ids.size() < expected.ids.size(); worked++) {
                // while the one waits, others come and go
                Sequence plain = sequence(endless(new int[] {worked}, 30), new Told());
                assertThat(run(scheduler, plain).reason()).isEqualTo(Finish.Reason.LENGTH);
                if (told.ids.size() < expected.ids.size()) {
                    sleepers.work();
                } else {
                    assertThat(worked).isPositive();
                }
            }
            assertThat(slow.awaitEnd().reason()).isEqualTo(end.reason());
            assertThat(told.ids).isEqualTo(expected.ids);
            nothingIsLeftIn(scheduler);
        }
    }

    @Test
    void anAnswerThatWaitsForItsMaskCanBeCancelled() {
        Request request =
                Request.of(new int[] {1, 2, 3}, 40, Sampling.GREEDY)
                        .constrained(Constraint.regex("[a-z]{30,40}x"));
        try (Scheduler scheduler = scheduler(pass())) {
            Sequence slow = constrained(request, new Told(), new Sleepers(), scheduler::wake);
            scheduler.submit(slow);
            run(scheduler, sequence(endless(new int[] {1}, 30), new Told()));
            slow.cancel();
            run(scheduler, sequence(endless(new int[] {1}, 30), new Told()));
            assertThat(slow.awaitEnd().reason()).isEqualTo(Finish.Reason.CANCELLED);
            nothingIsLeftIn(scheduler);
        }
    }

    /// A worker that fails is the answer's failure.
    @Test
    void aMaskThatCannotBeFoundFailsTheAnswer() {
        Request request =
                Request.of(new int[] {1, 2, 3}, 40, Sampling.GREEDY)
                        .constrained(Constraint.regex("[a-z]{30,40}x"));
        Executor failing =
                task -> {
                    throw new java.util.concurrent.RejectedExecutionException("no workers");
                };
        try (Scheduler scheduler = scheduler(pass())) {
            Finish finish =
                    run(scheduler, constrained(request, new Told(), failing, scheduler::wake));
            assertThat(finish.reason()).isEqualTo(Finish.Reason.FAILED);
            assertThat(finish.cause().orElseThrow()).hasMessage("no workers");
            nothingIsLeftIn(scheduler);
        }
    }

    @Test
    void aVocabularyWithoutTheNeededTokensIsADeadEnd() {
        Tokenizer poor = new WithoutQuotes(TOKENIZER);
        Constraints constraints = new Constraints(poor, List.of(), VOCABULARY);
        Request request =
                Request.of(new int[] {1}, 10, Sampling.GREEDY)
                        .constrained(Constraint.schema("{\"type\":\"string\"}"));
        GuidedDecoding form =
                new GuidedDecoding(
                        constraints.begin(request.constraint().orElseThrow()),
                        Runnable::run,
                        () -> {});
        try (Scheduler scheduler = scheduler(pass())) {
            Sequence sequence =
                    new Sequence(request, new Told(), poor, 100, Set.of(), Optional.of(form));
            Finish finish = run(scheduler, sequence);
            assertThat(finish.reason()).isEqualTo(Finish.Reason.DEAD_END);
            assertThat(finish.newTokens()).isZero();
        }
    }

    private record WithoutQuotes(Tokenizer whole) implements Tokenizer {
        @Override
        public int[] encode(String text) {
            return whole.encode(text);
        }

        @Override
        public String decode(int[] ids, boolean skipSpecial) {
            return whole.decode(ids, skipSpecial);
        }

        @Override
        public byte[] bytes(int id) {
            String text = new String(whole.bytes(id), java.nio.charset.StandardCharsets.ISO_8859_1);
            return text.contains("\"") ? new byte[0] : whole.bytes(id);
        }

        @Override
        public int vocabularySize() {
            return whole.vocabularySize();
        }

        @Override
        public OptionalInt id(String token) {
            return whole.id(token);
        }

        @Override
        public boolean isSpecial(int id) {
            return whole.isSpecial(id);
        }
    }
}
