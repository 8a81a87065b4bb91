package dev.penjing.server.models;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Client;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The answers to one request, as they are made. If the client leaves, or the time is up, all of
/// them are ended within a token, wherever they are: waiting, reading their prompts, or answering.
public final class Answers {
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

    private final Inbox inbox;
    private final List<Generation> generations = new ArrayList<>();
    private final List<Making> makings = new ArrayList<>();

    private Answers(Inbox inbox) {
        this.inbox = inbox;
    }

    /// Makes the answers and hands them on, part by part, until the last one has ended.
    ///
    /// @param ticket by which the requests were let in
    /// @param most time for all of it; then answers end as if they had reached their length
    /// @throws ApiException if the engine fails, or the client is too far behind
    /// @throws ClientGone if the client leaves
    static List<Finish> make(
            Engine engine,
            List<Request> requests,
            Admission.Ticket ticket,
            Bell bell,
            Client client,
            Duration most,
            Taker taker) {
        try (Inbox inbox = new Inbox(bell, client::gone, requests.size(), taker.patient())) {
            return new Answers(inbox).make(engine, requests, ticket, client, most, taker);
        }
    }

    private List<Finish> make(
            Engine engine,
            List<Request> requests,
            Admission.Ticket ticket,
            Client client,
            Duration most,
            Taker taker) {
        try {
            for (int i = 0; i < requests.size(); i++) {
                Making making = new Making(i, ticket, engine.tokenizer(), inbox);
                makings.add(making);
                generations.add(engine.submit(requests.get(i), making));
            }
            return follow(client, System.nanoTime() + most.toNanos(), taker);
        } catch (PenjingException e) {
            throw ApiException.invalid(400, "invalid_request", String.valueOf(e.getMessage()));
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

    private List<Finish> follow(Client client, long end, Taker taker) throws InterruptedException {
        List<Finish> finishes = new ArrayList<>();
        boolean late = false;
        while (finishes.size() < generations.size()) {
            Optional<Inbox.Told> told = inbox.poll();
            if (told.isEmpty()) {
                taker.caughtUp();
                if (!inbox.await()) {
                    taker.quiet();
                }
            }
            if (client.gone()) {
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
                check(finish, late);
                finishes.add(finish);
            }
            taker.take(part.get());
        }
        return finishes;
    }

    private void check(Finish finish, boolean late) {
        if (finish.reason() == Finish.Reason.CANCELLED
                && makings.stream().anyMatch(m -> m.behind)) {
            throw ApiException.unavailable(
                    "aborted", "The answer was read too slowly: read it while it comes.", 5);
        }
        if (finish.reason() == Finish.Reason.FAILED
                || finish.reason() == Finish.Reason.CANCELLED && !late) {
            throw ApiException.unavailable(
                    "aborted", "The engine stopped before the answer was complete.", 5);
        }
    }

    /// One answer, told of on the engine's thread, which does no more than pass it on. Tokens are
    /// held back until their text is out: of those whose text is cut off by a stop text, nobody
    /// hears.
    private static final class Making implements Listener {
        private final int index;
        private final Admission.Ticket ticket;
        private final Tokenizer tokenizer;
        private final Inbox inbox;
        private final ArrayDeque<Token> held = new ArrayDeque<>();
        private final ArrayDeque<Long> starts = new ArrayDeque<>();
        private long made;
        private long out;

        /// Set on the engine's thread before the answer ends for this reason.
        private volatile boolean behind;

        Making(int index, Admission.Ticket ticket, Tokenizer tokenizer, Inbox inbox) {
            this.index = index;
            this.ticket = ticket;
            this.tokenizer = tokenizer;
            this.inbox = inbox;
        }

        @Override
        public void admitted() {
            ticket.began(index);
        }

        /// Throws to end an answer that nobody takes.
        @Override
        public void token(int id, String text, Optional<LogProbabilities> probabilities) {
            if (inbox.overfull()) {
                behind = true;
                throw new StopGeneration("nobody takes the answer");
            }
            inbox.add(Inbox.Told.token(index, id, text, probabilities));
        }

        @Override
        public void finished(Finish finish, String rest) {
            ticket.began(index);
            inbox.add(Inbox.Told.end(index, rest, finish));
        }

        /// On the reader's thread: what there is to hand on, if anything.
        Optional<Part> part(Inbox.Told told) {
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
