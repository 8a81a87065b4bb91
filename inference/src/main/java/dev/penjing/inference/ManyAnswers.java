package dev.penjing.inference;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Generator;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.model.PenjingException;
import dev.penjing.model.language.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntConsumer;

/// Answers to many prompts, made beside one another. Used once.
final class ManyAnswers {
    private final Generator engine;
    private final List<Prompt> prompts;
    private final IntConsumer done;
    private final List<Answer> answers = new ArrayList<>();
    private final List<Generation> generations = new ArrayList<>();

    /// Prompts whose answers have ended.
    private final BlockingQueue<Integer> ended = new LinkedBlockingQueue<>();

    /// @param done is called on the thread that waits for the answers
    ManyAnswers(Generator engine, List<Prompt> prompts, IntConsumer done) {
        this.engine = engine;
        this.prompts = prompts;
        this.done = done;
    }

    /// Submits the prompts in order, and waits for all answers.
    ///
    /// @param atOnce prompts that the engine is given before others have ended
    /// @throws PenjingException if an answer failed, or the thread was interrupted. Whatever `last`
    ///   or `done` throws is thrown on. Then all answers have ended
    List<int[]> make(int atOnce) {
        try {
            for (int complete = 0; complete < prompts.size(); complete++) {
                while (answers.size() < prompts.size() && answers.size() < complete + atOnce) {
                    begin();
                }
                int index = ended.take();
                answers.get(index).check();
                done.accept(index);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while answers were made", e);
        } finally {
            generations.forEach(Generation::cancel);
            generations.forEach(Generation::awaitEnd);
        }
        return answers.stream().map(Answer::ids).toList();
    }

    private void begin() {
        int index = answers.size();
        Prompt prompt = prompts.get(index);
        Answer answer = new Answer(index, prompt);
        Request request =
                new Request(
                        prompt.ids(),
                        prompt.maxNewTokens(),
                        sampling(prompt.draw()),
                        List.of(),
                        Set.of(),
                        true,
                        OptionalInt.empty(),
                        Optional.empty());
        generations.add(engine.submit(request, answer));
        answers.add(answer);
    }

    private static Sampling sampling(Prompt.Draw draw) {
        if (draw.temperature() == 0) {
            return Sampling.GREEDY;
        }
        return new Sampling(
                (float) draw.temperature(),
                0,
                (float) draw.topP(),
                0,
                1,
                0,
                0,
                Map.of(),
                OptionalLong.of(draw.seed()));
    }

    /// An answer in the making; complete once its index is in the queue.
    private final class Answer implements Listener {
        private final int index;
        private final Prompt prompt;
        private final List<Integer> made = new ArrayList<>();
        private Optional<Throwable> failure = Optional.empty();

        /// Whether its last id was there.
        private boolean complete;

        Answer(int index, Prompt prompt) {
            this.index = index;
            this.prompt = prompt;
        }

        @Override
        public void token(int id, String text, Optional<LogProbabilities> logProbabilities) {
            made.add(id);
            boolean last;
            try {
                last = prompt.last().test(id);
            } catch (RuntimeException | Error e) {
                failure = Optional.of(e);
                last = true;
            }
            if (last) {
                complete = true;
                throw new StopGeneration("the answer is complete");
            }
        }

        @Override
        public void finished(Finish finish, String rest) {
            if (failure.isEmpty()) {
                failure = failure(finish);
            }
            ended.add(index);
        }

        private Optional<Throwable> failure(Finish finish) {
            return switch (finish.reason()) {
                case STOP, LENGTH -> Optional.empty();
                case CANCELLED ->
                        complete
                                ? Optional.empty()
                                : Optional.of(new PenjingException("an answer was cancelled"));
                case DEAD_END, FAILED -> Optional.of(finish.failure());
            };
        }

        void check() {
            if (failure.isPresent() && failure.get() instanceof Error error) {
                throw error;
            }
            if (failure.isPresent()) {
                throw (RuntimeException) failure.get();
            }
        }

        int[] ids() {
            return made.stream().mapToInt(Integer::intValue).toArray();
        }
    }
}
