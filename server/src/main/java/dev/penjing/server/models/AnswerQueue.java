package dev.penjing.server.models;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.LogProbabilities;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// What the engine's listeners were told, for the thread that made the queue and alone may read it.
final class AnswerQueue implements AutoCloseable {
    /// What may wait for a client that reads more slowly than the engine answers, beyond what fits
    /// into the connection's own buffers, and what more for each of its answers.
    private static final int MOST = 4096;

    private static final int MORE = 256;

    /// What may wait for a reader who does not need it soon.
    private static final int SOME = 64;

    /// Looks after which a reader hears that there is nothing new.
    private static final int LOOKS = 5;

    /// What an engine's listener was told.
    ///
    /// @param nanos when, by `System.nanoTime`
    /// @param token empty where an answer ends
    record Event(
            int index,
            long nanos,
            String text,
            Optional<AnswerService.Token> token,
            Optional<Finish> finish) {
        static Event token(int index, int id, String text, Optional<LogProbabilities> known) {
            return new Event(
                    index,
                    System.nanoTime(),
                    text,
                    Optional.of(new AnswerService.Token(id, known)),
                    Optional.empty());
        }

        static Event end(int index, String rest, Finish finish) {
            return new Event(index, System.nanoTime(), rest, Optional.empty(), Optional.of(finish));
        }
    }

    private final WakeupCoalescer coalescer;
    private final BooleanSupplier gone;
    private final Thread reader = Thread.currentThread();
    private final ConcurrentLinkedQueue<Event> all = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicBoolean rung = new AtomicBoolean();
    private final int most;
    private final boolean patient;
    private volatile boolean poked;
    private int looks;

    /// @param gone whether the client has left
    /// @param answers that it is told of
    /// @param patient whether the reader need not hear of every token at once
    AnswerQueue(WakeupCoalescer coalescer, BooleanSupplier gone, int answers, boolean patient) {
        this.patient = patient;
        this.most = MOST + MORE * answers;
        this.coalescer = coalescer;
        this.gone = gone;
        coalescer.add(this);
    }

    /// On the engine's thread: neither waits nor wakes anybody itself.
    void add(Event told) {
        int waiting = count.incrementAndGet();
        all.add(told);
        // a token without text can wait for the next
        boolean news = patient ? waiting % SOME == 0 : !told.text().isEmpty();
        if ((news || told.finish().isPresent()) && !rung.get() && rung.compareAndSet(false, true)) {
            coalescer.ring(this);
        }
    }

    /// Whether the reader is so far behind that its answers are to end.
    boolean overfull() {
        return count.get() > most;
    }

    Optional<Event> poll() {
        Event told = all.poll();
        if (told != null) {
            count.decrementAndGet();
        }
        return Optional.ofNullable(told);
    }

    /// Waits for something new, or until it is time to look around.
    ///
    /// @return whether there is something new
    boolean await() throws InterruptedException {
        while (all.isEmpty() && !poked) {
            LockSupport.park(this);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
        poked = false;
        return !all.isEmpty();
    }

    /// By the coalescer: there is something new.
    void wake() {
        // before the reader looks, so that whatever comes after rings again
        rung.set(false);
        LockSupport.unpark(reader);
    }

    /// By the coalescer, every now and then.
    void look() {
        looks++;
        if (looks % LOOKS == 0 || gone.getAsBoolean()) {
            poked = true;
            LockSupport.unpark(reader);
        }
    }

    @Override
    public void close() {
        coalescer.remove(this);
    }
}
