package dev.penjing.server.models;

import dev.penjing.server.http.ApiException;
import java.util.concurrent.atomic.AtomicBoolean;

/// The bounded queue before the engines: so many requests, and so many tokens of their prompts, may
/// wait; beyond that a request is refused at once and its client told when to come back.
///
/// Requests are counted from their arrival until the engine begins with them.
public final class Admission {
    private final int mostRequests;
    private final long mostTokens;
    private int requests;
    private long tokens;
    private int active;
    private boolean draining;

    /// Seconds that an answer took of late.
    private double usual = 1;

    public Admission(int mostRequests, long mostTokens) {
        this.mostRequests = mostRequests;
        this.mostTokens = mostTokens;
    }

    /// @param count of answers asked for
    /// @param promptTokens of all of them
    /// @throws ApiException if the queue is full, or the server is leaving
    public synchronized Ticket enter(int count, long promptTokens) {
        if (draining) {
            throw ApiException.unavailable(
                    "draining", "The server is shutting down: try another one.", 5);
        }
        // one request is let into an empty queue however large it is, as it will never be smaller
        boolean full =
                requests + count > mostRequests && requests > 0
                        || tokens + promptTokens > mostTokens && tokens > 0;
        if (full) {
            int seconds = (int) Math.clamp(Math.ceil(usual), 1, 60);
            throw ApiException.overloaded(
                    "%d requests with %,d prompt tokens are waiting already: try again in %d s."
                            .formatted(requests, tokens, seconds),
                    seconds);
        }
        requests += count;
        tokens += promptTokens;
        active++;
        return new Ticket(count, promptTokens);
    }

    /// From now on nobody is let in.
    public synchronized void drain() {
        draining = true;
        notifyAll();
    }

    public synchronized boolean draining() {
        return draining;
    }

    /// Requests that were let in and are not answered yet: the server's load.
    public synchronized int active() {
        return active;
    }

    public synchronized int waiting() {
        return requests;
    }

    /// Waits until all are answered.
    ///
    /// @return whether they are
    public synchronized boolean awaitEmpty(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        while (active > 0) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    private synchronized void began(long promptTokens) {
        requests--;
        tokens -= promptTokens;
    }

    private synchronized void left(double seconds) {
        usual += 0.1 * (seconds - usual);
        active--;
        notifyAll();
    }

    /// A request that was let in. Closing it twice is harmless.
    public final class Ticket implements AutoCloseable {
        private final long tokensEach;
        private final AtomicBoolean[] waiting;
        private final AtomicBoolean open = new AtomicBoolean(true);
        private final long start = System.nanoTime();

        private Ticket(int count, long promptTokens) {
            waiting = new AtomicBoolean[count];
            for (int i = 0; i < count; i++) {
                waiting[i] = new AtomicBoolean(true);
            }
            tokensEach = promptTokens / count;
            first = promptTokens - tokensEach * (count - 1);
        }

        private final long first;

        /// The engine has begun with one of its answers.
        void began(int index) {
            if (waiting[index].compareAndSet(true, false)) {
                Admission.this.began(index == 0 ? first : tokensEach);
            }
        }

        @Override
        public void close() {
            if (open.compareAndSet(true, false)) {
                for (int i = 0; i < waiting.length; i++) {
                    began(i);
                }
                left((System.nanoTime() - start) / 1e9);
            }
        }
    }
}
