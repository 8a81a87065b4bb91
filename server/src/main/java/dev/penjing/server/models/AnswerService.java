package dev.penjing.server.models;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.server.http.ApiException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// The answers to one request, as they are made. If the client leaves, or the time is up, all of
/// them are ended within a token, wherever they are: waiting, reading their prompts, or answering.
public final class AnswerService {
    /// A token of an answer.
    ///
    /// @param probabilities empty unless asked for
    public record Token(int id, Optional<LogProbabilities> probabilities) {}

    /// What there is new of an answer.
    ///
    /// @param index of the answer
    /// @param nanos when the engine told of it, by `System.nanoTime`
    /// @param tokens whose text has come out with this
    /// @param finish present in an answer's last part
    public record Part(
            int index, long nanos, String text, List<Token> tokens, Optional<Finish> finish) {}

    /// The client has left: there is nobody to tell.
    public static final class ClientGone extends RuntimeException {
        private static final long serialVersionUID = 1;

        ClientGone() {
            super("the client left", null, false, false);
        }
    }

    /// Takes the parts.
    public interface Taker {
        void take(Part part);

        /// Whether parts may be taken late and many at once, as nobody sees them before all are
        /// there.
        default boolean patient() {
            return false;
        }

        /// Called when all that there was has been taken.
        default void caughtUp() {}

        /// Called every now and then while there is nothing new.
        default void quiet() {}

        /// Called once for every answer that was begun, however it ended, and after all parts.
        default void ended(int index, Finish finish) {}
    }

    private final AnswerQueue queue;
    private final List<Generation> generations = new ArrayList<>();
    private final List<Making> makings = new ArrayList<>();

    private AnswerService(AnswerQueue queue) {
        this.queue = queue;
    }

    /// Makes the answers and hands them on, part by part, until the last one has ended.
    ///
    /// @param ticket by which the requests were let in
    /// @param gone whether the client has left
    /// @param most time for all of it; then answers end as if they had reached their length
    /// @throws ApiException 400 if the engine refuses the request, 500 if it fails over the answer,
    ///   503 if it has ended, or if the client is too far behind
    /// @throws ClientGone if the client leaves
    static List<Finish> make(
            Engine engine,
            List<Request> requests,
            Admission.Ticket ticket,
            WakeupCoalescer coalescer,
            BooleanSupplier gone,
            Duration most,
            Taker taker) {
        try (AnswerQueue queue =
                new AnswerQueue(coalescer, gone, requests.size(), taker.patient())) {
            return new AnswerService(queue).make(engine, requests, ticket, gone, most, taker);
        }
    }

    private List<Finish> make(
            Engine engine,
            List<Request> requests,
            Admission.Ticket ticket,
            BooleanSupplier gone,
            Duration most,
            Taker taker) {
        try {
            for (int i = 0; i < requests.size(); i++) {
                Making making = new Making(i, ticket, engine.tokenizer(), queue);
                makings.add(making);
                generations.add(submit(engine, requests.get(i), making));
            }
            return follow(engine, gone, System.nanoTime() + most.toNanos(), taker);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("draining", "The server is shutting down.", 5);
        } finally {
            generations.forEach(Generation::cancel);
            for (int i = 0; i < generations.size(); i++) {
                taker.ended(i, generations.get(i).awaitEnd());
            }
        }
    }

    /// What an engine that lives refuses, the client can mend.
    private static Generation submit(Engine engine, Request request, Listener listener) {
        try {
            return engine.submit(request, listener);
        } catch (PenjingException e) {
            throw engine.alive() ? refused(e) : ended();
        }
    }

    private static ApiException ended() {
        return ApiException.unavailable(
                "aborted", "The engine stopped before the answer was complete.", 5);
    }

    private List<Finish> follow(Engine engine, BooleanSupplier gone, long end, Taker taker)
            throws InterruptedException {
        List<Finish> finishes = new ArrayList<>();
        boolean late = false;
        while (finishes.size() < generations.size()) {
            Optional<AnswerQueue.Event> told = queue.poll();
            if (told.isEmpty()) {
                taker.caughtUp();
                if (!queue.await()) {
                    taker.quiet();
                }
            }
            if (gone.getAsBoolean()) {
                throw new ClientGone();
            }
            if (!late && System.nanoTime() - end > 0) {
                late = true;
                generations.forEach(Generation::cancel);
            }
            if (told.isEmpty()) {
                continue;
            }
            Optional<Part> part = makings.get(told.get().index()).part(told.get());
            if (part.isEmpty()) {
                continue;
            }
            if (part.get().finish().isPresent()) {
                Finish finish = part.get().finish().get();
                check(engine, finish, late);
                finishes.add(finish);
            }
            taker.take(part.get());
        }
        return finishes;
    }

    /// Throws unless what there is of an answer can be shown as one.
    private void check(Engine engine, Finish finish, boolean late) {
        switch (finish.reason()) {
            case STOP, LENGTH, DEAD_END -> {
                // an answer, or its beginning
            }
            case CANCELLED -> {
                if (makings.stream().anyMatch(m -> m.behind)) {
                    throw ApiException.unavailable(
                            "aborted",
                            "The answer was read too slowly: read it while it comes.",
                            5);
                }
                if (!late) {
                    throw ended();
                }
            }
            case FAILED -> throw engine.alive() ? failed(finish.cause()) : ended();
        }
    }

    /// What made an answer fail is the server's trouble, unless it is about the request, such as a
    /// constraint that turns out to be too large.
    private static ApiException failed(Optional<Throwable> cause) {
        if (cause.isPresent() && cause.get() instanceof UsageException refused) {
            return refused(refused);
        }
        String message = "The engine failed over this answer: see the server's log.";
        return cause.map(thrown -> ApiException.internal(message, thrown))
                .orElseGet(() -> ApiException.internal(message));
    }

    private static ApiException refused(PenjingException why) {
        return ApiException.invalid(400, "invalid_request", why.getMessage() + ".");
    }

    /// One answer, told of on the engine's thread, which does no more than pass it on. Tokens are
    /// held back until their text is out: of those whose text is cut off by a stop text, nobody
    /// hears.
    private static final class Making implements Listener {
        private final int index;
        private final Admission.Ticket ticket;
        private final Tokenizer tokenizer;
        private final AnswerQueue queue;
        private final ArrayDeque<Token> held = new ArrayDeque<>();
        private final ArrayDeque<Long> starts = new ArrayDeque<>();
        private long made;
        private long out;

        /// Set on the engine's thread before the answer ends for this reason.
        private volatile boolean behind;

        Making(int index, Admission.Ticket ticket, Tokenizer tokenizer, AnswerQueue queue) {
            this.index = index;
            this.ticket = ticket;
            this.tokenizer = tokenizer;
            this.queue = queue;
        }

        @Override
        public void admitted() {
            ticket.began(index);
        }

        /// Throws to end an answer that nobody takes.
        @Override
        public void token(int id, String text, Optional<LogProbabilities> probabilities) {
            if (queue.overfull()) {
                behind = true;
                throw new StopGeneration("nobody takes the answer");
            }
            queue.add(AnswerQueue.Event.token(index, id, text, probabilities));
        }

        @Override
        public void finished(Finish finish, String rest) {
            ticket.began(index);
            queue.add(AnswerQueue.Event.end(index, rest, finish));
        }

        /// On the reader's thread: what there is to hand on, if anything.
        Optional<Part> part(AnswerQueue.Event told) {
            told.token()
                    .ifPresent(token -> {
                        held.add(token);
                        starts.add(made);
                        int id = token.id();
                        boolean silent =
                                id >= tokenizer.vocabularySize() || tokenizer.isSpecial(id);
                        made += silent ? 0 : tokenizer.bytes(id).length;
                    });
            if (told.text().isEmpty() && told.finish().isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(
                    new Part(
                            index,
                            told.nanos(),
                            told.text(),
                            released(told.text()),
                            told.finish()));
        }

        private List<Token> released(String text) {
            out += text.getBytes(StandardCharsets.UTF_8).length;
            List<Token> tokens = new ArrayList<>();
            while (!held.isEmpty() && starts.getFirst() < out) {
                starts.removeFirst();
                tokens.add(held.removeFirst());
            }
            return tokens;
        }
    }
}
