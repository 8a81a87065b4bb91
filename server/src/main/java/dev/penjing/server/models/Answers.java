package dev.penjing.server.models;

import dev.penjing.inference.Engine;
import dev.penjing.inference.Finish;
import dev.penjing.inference.Generation;
import dev.penjing.inference.Listener;
import dev.penjing.inference.LogProbabilities;
import dev.penjing.inference.Request;
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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// The answers to one request, as they are made. If the client leaves, or the time is up, all of
/// them are ended within a token, wherever they are: waiting, reading their prompts, or answering.
public final class Answers {
    /// How soon it is noticed that a client left.
    private static final Duration LOOK = Duration.ofMillis(50);

    /// A token of an answer.
    ///
    /// @param probabilities empty unless asked for
    public record Token(int id, Optional<LogProbabilities> probabilities) {}

    /// What there is new of an answer.
    ///
    /// @param index of the answer
    /// @param tokens whose text has come out with this
    /// @param finish present in an answer's last part
    public record Part(int index, String text, List<Token> tokens, Optional<Finish> finish) {}

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

        /// Called every now and then while there is nothing new.
        default void quiet() {}

        /// Called once for every answer that was begun, however it ended, and after all parts.
        default void ended(int index, Finish finish) {}
    }

    private final LinkedBlockingQueue<Part> parts = new LinkedBlockingQueue<>();
    private final List<Generation> generations = new ArrayList<>();

    private Answers() {}

    /// Makes the answers and hands them on, part by part, until the last one has ended.
    ///
    /// @param ticket by which the requests were let in
    /// @param most time for all of it; then answers end as if they had reached their length
    /// @throws ApiException if the engine fails
    /// @throws ClientGone if the client leaves
    public static List<Finish> make(
            Engine engine,
            List<Request> requests,
            Admission.Ticket ticket,
            Client client,
            Duration most,
            Taker taker) {
        Answers answers = new Answers();
        try {
            for (int i = 0; i < requests.size(); i++) {
                answers.generations.add(
                        engine.submit(
                                requests.get(i),
                                new Making(i, ticket, engine.tokenizer(), answers.parts)));
            }
            return answers.follow(client, System.nanoTime() + most.toNanos(), taker);
        } catch (PenjingException e) {
            throw ApiException.invalid(400, "invalid_request", String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("draining", "The server is shutting down.", 5);
        } finally {
            answers.generations.forEach(Generation::cancel);
            for (int i = 0; i < answers.generations.size(); i++) {
                taker.ended(i, answers.generations.get(i).awaitEnd());
            }
        }
    }

    private List<Finish> follow(Client client, long end, Taker taker) throws InterruptedException {
        List<Finish> finishes = new ArrayList<>();
        boolean late = false;
        while (finishes.size() < generations.size()) {
            Part part = parts.poll(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            if (client.gone()) {
                throw new ClientGone();
            }
            if (!late && System.nanoTime() - end > 0) {
                late = true;
                generations.forEach(Generation::cancel);
            }
            if (part == null) {
                taker.quiet();
                continue;
            }
            if (part.finish().isPresent()) {
                Finish finish = part.finish().get();
                if (finish.reason() == Finish.Reason.FAILED
                        || finish.reason() == Finish.Reason.CANCELLED && !late) {
                    throw ApiException.unavailable(
                            "aborted", "The engine stopped before the answer was complete.", 5);
                }
                finishes.add(finish);
            }
            taker.take(part);
        }
        return finishes;
    }

    /// One answer, told of on the engine's thread. Tokens are held back until their text is out: of
    /// those whose text is cut off by a stop text, nobody hears.
    private static final class Making implements Listener {
        private final int index;
        private final Admission.Ticket ticket;
        private final Tokenizer tokenizer;
        private final LinkedBlockingQueue<Part> parts;
        private final ArrayDeque<Token> held = new ArrayDeque<>();
        private final ArrayDeque<Long> starts = new ArrayDeque<>();
        private long made;
        private long out;

        Making(
                int index,
                Admission.Ticket ticket,
                Tokenizer tokenizer,
                LinkedBlockingQueue<Part> parts) {
            this.index = index;
            this.ticket = ticket;
            this.tokenizer = tokenizer;
            this.parts = parts;
        }

        @Override
        public void admitted() {
            ticket.began(index);
        }

        @Override
        public void token(int id, String text, Optional<LogProbabilities> probabilities) {
            held.add(new Token(id, probabilities));
            starts.add(made);
            boolean silent = id >= tokenizer.vocabularySize() || tokenizer.isSpecial(id);
            made += silent ? 0 : tokenizer.bytes(id).length;
            if (!text.isEmpty()) {
                parts.add(new Part(index, text, released(text), Optional.empty()));
            }
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

        @Override
        public void finished(Finish finish, String rest) {
            ticket.began(index);
            parts.add(new Part(index, rest, released(rest), Optional.of(finish)));
        }
    }
}
