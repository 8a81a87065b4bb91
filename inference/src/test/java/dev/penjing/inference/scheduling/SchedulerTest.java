package dev.penjing.inference.scheduling;

import static dev.penjing.inference.scheduling.TestSequences.END;
import static dev.penjing.inference.scheduling.TestSequences.VOCABULARY;
import static dev.penjing.inference.scheduling.TestSequences.endless;
import static dev.penjing.inference.scheduling.TestSequences.nothingIsLeftIn;
import static dev.penjing.inference.scheduling.TestSequences.pass;
import static dev.penjing.inference.scheduling.TestSequences.prompt;
import static dev.penjing.inference.scheduling.TestSequences.run;
import static dev.penjing.inference.scheduling.TestSequences.scheduler;
import static dev.penjing.inference.scheduling.TestSequences.sequence;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.FakePass;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.scheduling.TestSequences.Told;
import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The scheduler on a model without weights.
@Timeout(120)
class SchedulerTest {
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
                                greedy(
                                        new FakePass(1, 1, VOCABULARY, 1),
                                        request.prompt(),
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
}
