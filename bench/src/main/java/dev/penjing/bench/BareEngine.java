package dev.penjing.bench;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The same work as that of the load test's clients, on the engine alone: as soon as an answer has
/// ended, its place is taken by the next.
final class BareEngine {
    private final Engine engine;
    private final List<List<Request>> work;
    private volatile long tokens;
    private volatile boolean over;

    BareEngine(Engine engine, List<List<LoadRequest>> work) {
        this.engine = engine;
        this.work = work.stream().map(own -> own.stream().map(this::request).toList()).toList();
    }

    private Request request(LoadRequest asking) {
        int[] prompt =
                engine.chat(
                        List.of(Map.of("role", "user", "content", asking.question())), Map.of());
        return Request.of(prompt, asking.tokens(), Sampling.GREEDY).endless();
    }

    /// Tokens a second of all sequences.
    ///
    /// @param warmUp seconds before it counts
    double rate(double warmUp, double seconds) {
        over = false;
        List<Place> places = new ArrayList<>();
        for (List<Request> own : work) {
            Place place = new Place(own);
            places.add(place);
            place.ask();
        }
        sleep(warmUp);
        long begin = tokens;
        long start = System.nanoTime();
        sleep(seconds);
        double rate = (tokens - begin) / ((System.nanoTime() - start) / 1e9);
        over = true;
        places.forEach(Place::end);
        return rate;
    }

    private static void sleep(double seconds) {
        try {
            Thread.sleep((long) (seconds * 1000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted", e);
        }
    }

    /// Called on the engine's thread alone, but for the first request.
    private final class Place implements Listener {
        private final List<Request> own;
        private int next;
        private volatile Optional<Generation> current = Optional.empty();

        Place(List<Request> own) {
            this.own = own;
        }

        void ask() {
            current = Optional.of(engine.submit(own.get(next++ % own.size()), this));
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField") // one thread writes
        public void token(int id, String text, Optional<LogProbabilities> probabilities) {
            tokens++;
        }

        @Override
        public void finished(Finish finish, String rest) {
            if (!over) {
                ask();
            }
        }

        void end() {
            // the next one may have begun in the meantime
            for (Optional<Generation> seen = Optional.empty(); !seen.equals(current); ) {
                seen = current;
                seen.ifPresent(Generation::cancel);
                seen.ifPresent(Generation::awaitEnd);
            }
        }
    }
}
