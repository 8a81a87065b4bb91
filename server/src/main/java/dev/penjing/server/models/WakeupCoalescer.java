package dev.penjing.server.models;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Coalesces wake-ups: a thread of its own wakes the readers of queues, in place of the engine's
/// thread, which would otherwise make a system call for every token of every answer. The engine's
/// thread wakes the coalescer for the first token of a step alone; the readers of all tokens that
/// come within the same moment are then woken together, each once.
///
/// The thread also looks at every queue now and then, so that no reader needs a timer of its own.
final class WakeupCoalescer implements AutoCloseable {
    /// Shorter than a step of the engine with many answers; added to the time of a token.
    private static final long MOMENT = Duration.ofNanos(300_000).toNanos();

    /// From one ring to the next, at least. What a fast engine makes in this time goes out in one
    /// piece; a token of a slow one waits for the moment alone.
    static final long REST = Duration.ofMillis(1).toNanos();

    /// How soon it is noticed that a client left.
    private static final long LOOK = Duration.ofMillis(50).toNanos();

    private final Set<AnswerQueue> all = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<AnswerQueue> rung = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean asleep = new AtomicBoolean();
    private final Thread thread;
    private long rang = System.nanoTime();
    private volatile boolean closed;
    private final AtomicLong wakeUps = new AtomicLong();

    WakeupCoalescer() {
        thread = Thread.ofPlatform().daemon().name("penjing-wakeups").start(this::run);
    }

    void add(AnswerQueue queue) {
        all.add(queue);
        wake();
    }

    void remove(AnswerQueue queue) {
        all.remove(queue);
    }

    /// Has a queue woken soon; at once when the coalescer is closed.
    void ring(AnswerQueue queue) {
        rung.add(queue);
        if (closed) {
            queue.wake();
        } else {
            // its thread, if it ends now, sees the queue on its way out
            wake();
        }
    }

    private void wake() {
        if (asleep.get() && asleep.compareAndSet(true, false)) {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        long looked = System.nanoTime();
        try {
            while (!closed) {
                sleep();
                wakeRung();
                long now = System.nanoTime();
                if (now - looked > LOOK) {
                    looked = now;
                    all.forEach(AnswerQueue::look);
                }
            }
        } finally {
            // before the last look: whoever rings after it wakes by themselves
            closed = true;
            wakeRung();
            all.forEach(AnswerQueue::wake);
        }
    }

    private void wakeRung() {
        for (AnswerQueue queue = rung.poll(); queue != null; queue = rung.poll()) {
            wakeUps.incrementAndGet();
            queue.wake();
        }
    }

    /// How many times its thread has woken a reader.
    long wakeUps() {
        return wakeUps.get();
    }

    private void sleep() {
        asleep.set(true);
        if (rung.isEmpty() && !closed) {
            if (all.isEmpty()) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, LOOK);
            }
        }
        asleep.set(false);
        if (!rung.isEmpty()) {
            long rest = rang + REST - System.nanoTime();
            LockSupport.parkNanos(this, Math.max(MOMENT, rest));
            rang = System.nanoTime();
        }
    }

    /// Nobody is left asleep who was rung for, before or after.
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }
}
