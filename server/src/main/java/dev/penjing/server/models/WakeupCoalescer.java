package dev.penjing.server.models;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/// Wakes those who wait for the engine, in the engine's place: waking a thread is a call of the
/// system, which the engine's thread would make for every token of every answer. It is told of a
/// step's first one alone, and all that come in the same moment are told of together.
///
/// Its thread looks around too, so that nobody who waits needs a timer of their own.
final class WakeupCoalescer implements AutoCloseable {
    /// Shorter than a step of the engine with many answers; added to the time of a token.
    private static final long MOMENT = Duration.ofNanos(300_000).toNanos();

    /// From one ring to the next, at least. What a fast engine makes in this time goes out in one
    /// piece; a token of a slow one waits for the moment alone.
    private static final long REST = Duration.ofMillis(1).toNanos();

    /// How soon it is noticed that a client left.
    private static final long LOOK = Duration.ofMillis(50).toNanos();

    private final Set<AnswerQueue> all = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<AnswerQueue> rung = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean asleep = new AtomicBoolean();
    private final Thread thread;
    private long rang = System.nanoTime();
    private volatile boolean closed;

    WakeupCoalescer() {
        thread = Thread.ofPlatform().daemon().name("penjing-wakeups").start(this::run);
    }

    void add(AnswerQueue inbox) {
        all.add(inbox);
        wake();
    }

    void remove(AnswerQueue inbox) {
        all.remove(inbox);
    }

    /// Has an inbox woken soon; at once when the bell is closed.
    void ring(AnswerQueue inbox) {
        rung.add(inbox);
        if (closed) {
            inbox.wake();
        } else {
            // its thread, if it ends now, sees the inbox on its way out
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
        for (AnswerQueue inbox = rung.poll(); inbox != null; inbox = rung.poll()) {
            inbox.wake();
        }
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
