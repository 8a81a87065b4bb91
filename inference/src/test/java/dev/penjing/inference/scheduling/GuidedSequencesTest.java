package dev.penjing.inference.scheduling;

import static dev.penjing.inference.scheduling.TestSequences.CONTEXT;
import static dev.penjing.inference.scheduling.TestSequences.END;
import static dev.penjing.inference.scheduling.TestSequences.TOKENIZER;
import static dev.penjing.inference.scheduling.TestSequences.VOCABULARY;
import static dev.penjing.inference.scheduling.TestSequences.endless;
import static dev.penjing.inference.scheduling.TestSequences.nothingIsLeftIn;
import static dev.penjing.inference.scheduling.TestSequences.pass;
import static dev.penjing.inference.scheduling.TestSequences.run;
import static dev.penjing.inference.scheduling.TestSequences.scheduler;
import static dev.penjing.inference.scheduling.TestSequences.sequence;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.inference.constraint.Constraints;
import dev.penjing.inference.constraint.GuidedDecoding;
import dev.penjing.inference.scheduling.TestSequences.Told;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Constrained answers whose masks workers find, on a model without weights.
@Timeout(120)
class GuidedSequencesTest {
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
                                {"type": "array", "title": "%d", "items": {"$ref": "#"}}\
                                """
                                        ::formatted)
                        .collect(Collectors.joining(","));
        int bracket = TOKENIZER.encode("[")[0];
        Sampling opening =
                new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(bracket, 100f), OptionalLong.empty());
        holdsNobodyUp(
                Request.of(new int[] {1, 2, 3}, 12, opening)
                        .constrained(
                                Constraint.schema(
                                        "{\"anyOf\": [{\"type\": \"null\"}, %s]}"
                                                .formatted(kinds))));
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
