package dev.penjing.evaluation;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/// Calls that mostly wait for other processes, each on a virtual thread of its own: they take no
/// thread from the common pool, where whatever else computes in parallel would wait behind them.
/// How many really run side by side is up to what they call.
final class ConcurrentCalls {
    private ConcurrentCalls() {}

    /// The results of `call` for 0 to `count` - 1, in order.
    ///
    /// @throws RuntimeException what a call threw, the first of them in order; the calls that still
    ///   run are interrupted and waited for
    static <T> List<T> all(int count, IntFunction<T> call) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<T>> futures = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int index = i;
                futures.add(threads.submit(() -> call.apply(index)));
            }
            List<T> results = new ArrayList<>();
            try {
                for (Future<T> future : futures) {
                    results.add(future.get());
                }
                return results;
            } catch (ExecutionException e) {
                threads.shutdownNow();
                throw unchecked(e);
            } catch (InterruptedException e) {
                threads.shutdownNow();
                Thread.currentThread().interrupt();
                throw new PenjingException("interrupted while programs ran", e);
            }
        }
    }

    private static RuntimeException unchecked(ExecutionException e) {
        return switch (e.getCause()) {
            case Error error -> throw error;
            case RuntimeException cause -> cause;
            case null, default -> new IllegalStateException(e);
        };
    }
}
