package dev.penjing.inference.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.FakePass;
import dev.penjing.inference.TinyModel;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// Sequences and a scheduler of a model without weights.
final class TestSequences {
    static final Tokenizer TOKENIZER = TinyModel.tokenizer();
    static final int VOCABULARY = TOKENIZER.vocabularySize();
    static final int END = TOKENIZER.id("<|endoftext|>").orElseThrow();
    static final int CONTEXT = 200;

    /// What a listener is told.
    static class Told implements Listener {
        final List<Integer> ids = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void token(int id, String text, Optional<LogProbabilities> p) {
            ids.add(id);
        }

        @Override
        public void finished(Finish finish, String rest) {}
    }

    static FakePass pass() {
        return new FakePass(60, 8, VOCABULARY, 30);
    }

    static Scheduler scheduler(FakePass pass) {
        return new Scheduler(pass, Optional.empty(), 10, 20);
    }

    static Sequence sequence(Request request, Listener listener) {
        return new Sequence(request, listener, TOKENIZER, CONTEXT, Set.of(END), Optional.empty());
    }

    static int[] prompt(Random random, int most) {
        return random.ints(1 + random.nextInt(most), 0, VOCABULARY).toArray();
    }

    static Finish run(Scheduler scheduler, Sequence sequence) {
        scheduler.submit(sequence);
        return sequence.awaitEnd();
    }

    static void nothingIsLeftIn(Scheduler scheduler) {
        scheduler.close();
        assertThat(scheduler.load().running()).isZero();
        assertThat(scheduler.load().freeBlocks()).isEqualTo(scheduler.load().blocks());
    }

    static Request endless(int[] prompt, int tokens) {
        return Request.of(prompt, tokens, Sampling.GREEDY).endless();
    }

    private TestSequences() {}
}
