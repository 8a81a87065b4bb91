package dev.penjing.compression.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// As many threads as a computation was given, the calling one among them. They are its own, so
/// that nobody else's work waits for it or slows it down. Ends with [#close].
final class RowThreads implements AutoCloseable {
    private final int threads;
    private final ExecutorService helpers;

    /// @param threads at least one
    RowThreads(int threads) {
        this.threads = threads;
        this.helpers =
                Executors.newFixedThreadPool(
                        Math.max(1, threads - 1), // started when they are needed
                        Thread.ofPlatform().daemon().name("penjing-loss-", 1).factory());
    }

    int threads() {
        return threads;
    }

    /// Runs `body` once on each thread and returns when all have ended.
    ///
    /// @throws IllegalStateException if a body failed, with the first cause
    void onEach(Runnable body) {
        List<Future<?>> running = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            running.add(helpers.submit(body));
        }
        Optional<Throwable> failure = attempt(body);
        for (Future<?> one : running) {
            // whoever fails, nobody goes on with memory that another thread still works on
            Optional<Throwable> other = await(one);
            failure = failure.or(() -> other);
        }
        if (failure.isPresent()) {
            throw new IllegalStateException("a thread of the loss failed", failure.get());
        }
    }

    private static Optional<Throwable> attempt(Runnable body) {
        try {
            body.run();
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            return Optional.of(e);
        }
    }

    private static Optional<Throwable> await(Future<?> running) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    running.get();
                    return Optional.empty();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return Optional.ofNullable(e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        helpers.shutdown();
    }
}
