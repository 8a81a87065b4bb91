package dev.penjing.server.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class WakeupCoalescerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int READERS = 8;

    private static AnswerQueue.Event news() {
        return AnswerQueue.Event.token(0, 1, "a", Optional.empty());
    }

    /// Readers of their queues, and what they made of them: each waits until something new comes.
    private static void readers(WakeupCoalescer coalescer, Consumer<List<AnswerQueue>> then) throws Exception {
        List<CompletableFuture<AnswerQueue>> queues = new ArrayList<>();
        List<CompletableFuture<String>> told = new ArrayList<>();
        for (int i = 0; i < READERS; i++) {
            CompletableFuture<AnswerQueue> made = new CompletableFuture<>();
            CompletableFuture<String> read = new CompletableFuture<>();
            queues.add(made);
            told.add(read);
            Thread.ofVirtual()
                    .start(() -> {
                        try (AnswerQueue queue = new AnswerQueue(coalescer, () -> false, 1, false)) {
                            made.complete(queue);
                            while (!queue.await()) {
                                // it was time to look around
                            }
                            read.complete(queue.poll().orElseThrow().text());
                        } catch (InterruptedException | RuntimeException e) {
                            read.completeExceptionally(e);
                        }
                    });
        }
        List<AnswerQueue> all = new ArrayList<>();
        for (CompletableFuture<AnswerQueue> made : queues) {
            all.add(made.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
        then.accept(all);
        for (CompletableFuture<String> read : told) {
            assertThat(read.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isEqualTo("a");
        }
    }

    @Test
    void wakesWhoWaits() throws Exception {
        try (WakeupCoalescer coalescer = new WakeupCoalescer()) {
            readers(coalescer, all -> all.forEach(queue -> queue.add(news())));
        }
    }

    @Test
    void wakesWhoWaitsAlsoAfterItsEnd() throws Exception {
        WakeupCoalescer coalescer = new WakeupCoalescer();
        readers(
                coalescer,
                all -> {
                    coalescer.close();
                    // by now its thread has ended, or ends meanwhile: either is well
                    LockSupport.parkNanos(20_000_000);
                    all.forEach(queue -> queue.add(news()));
                });
    }

    /// Of rings that come while it ends, none is lost, however the two fall.
    @Test
    void wakesWhoWaitsWhileItEnds() throws Exception {
        for (int round = 0; round < 300; round++) {
            int before = round % READERS;
            WakeupCoalescer coalescer = new WakeupCoalescer();
            readers(
                    coalescer,
                    all -> {
                        CountDownLatch both = new CountDownLatch(1);
                        Thread ending =
                                Thread.ofPlatform()
                                        .start(() -> {
                                            await(both);
                                            coalescer.close();
                                        });
                        all.subList(0, before).forEach(queue -> queue.add(news()));
                        both.countDown();
                        all.subList(before, READERS).forEach(queue -> queue.add(news()));
                        join(ending);
                    });
        }
    }

    /// Of tokens that come faster than readers are woken, many go with one wake-up.
    @Test
    void wakesOnceForManyTokens() {
        int tokens = 20_000;
        try (WakeupCoalescer coalescer = new WakeupCoalescer()) {
            List<AnswerQueue> queues = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                queues.add(new AnswerQueue(coalescer, () -> false, 1, false));
            }
            long start = System.nanoTime();
            for (int i = 0; i < tokens; i++) {
                queues.get(i % READERS).add(news());
            }
            long end = start + PATIENCE.toNanos();
            while (coalescer.wakeUps() < READERS && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(WakeupCoalescer.REST);
            }
            long rests = (System.nanoTime() - start) / WakeupCoalescer.REST;
            assertThat(coalescer.wakeUps())
                    .isGreaterThanOrEqualTo(READERS)
                    .isLessThanOrEqualTo(READERS * (rests + 2))
                    .isLessThan(tokens / 4);
        }
    }

    /// A reader whose client left hears of it from the coalescer, without news.
    @Test
    @Timeout(20)
    void looksAround() throws Exception {
        try (WakeupCoalescer coalescer = new WakeupCoalescer();
                AnswerQueue queue = new AnswerQueue(coalescer, () -> true, 1, false)) {
            assertThat(queue.await()).isFalse();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
