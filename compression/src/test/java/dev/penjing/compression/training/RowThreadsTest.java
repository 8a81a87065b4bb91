package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RowThreadsTest {
    /// No thread is the common pool's, and there are no more than asked for.
    @Test
    void asManyAsAskedForAndItsOwn() {
        Set<String> names = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(3);
        AtomicInteger runs = new AtomicInteger();
        try (RowThreads threads = new RowThreads(3)) {
            threads.onEach(() -> {
                names.add(Thread.currentThread().getName());
                runs.incrementAndGet();
                all.countDown();
                awaitAll(all);
            });
        }
        assertThat(runs).hasValue(3);
        assertThat(names)
                .hasSize(3)
                .contains(Thread.currentThread().getName())
                .noneMatch(name -> name.startsWith("ForkJoinPool"));
    }

    private static void awaitAll(CountDownLatch all) {
        try {
            all.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneThreadIsTheCaller() {
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        try (RowThreads threads = new RowThreads(1)) {
            threads.onEach(() -> seen.add(Thread.currentThread()));
        }
        assertThat(seen).containsExactly(Thread.currentThread());
    }

    /// The caller's failure does not leave others behind at work.
    @Test
    void aFailureWaitsForTheOthers() {
        Thread caller = Thread.currentThread();
        AtomicInteger ended = new AtomicInteger();
        try (RowThreads threads = new RowThreads(4)) {
            assertThatThrownBy(() ->
                            threads.onEach(() -> {
                                if (Thread.currentThread().equals(caller)) {
                                    throw new IllegalArgumentException("row 7");
                                }
                                long end = System.nanoTime() + 50_000_000;
                                while (System.nanoTime() < end) {
                                    Thread.onSpinWait();
                                }
                                ended.incrementAndGet();
                            }))
                    .hasRootCauseMessage("row 7");
            assertThat(ended).hasValue(3);
        }
    }
}
