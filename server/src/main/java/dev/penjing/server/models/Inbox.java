package dev.penjing.server.models;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.LogProbabilities;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// What the engine has said for the thread that made the inbox and alone may read it.
final class Inbox implements AutoCloseable {
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
    record Told(
            int index,
            long nanos,
            String text,
            Optional<Answers.Token> token,
            Optional<Finish> finish) {
        static Told token(int index, int id, String text, Optional<LogProbabilities> known) {
            return new Told(
                    index,
                    System.nanoTime(),
                    text,
                    Optional.of(new Answers.Token(id, known)),
                    Optional.empty());
        }

        static Told end(int index, String rest, Finish finish) {
            return new Told(index, System.nanoTime(), rest, Optional.empty(), Optional.of(finish));
        }
    }

    private final Bell bell;
    private final BooleanSupplier gone;
    private final Thread reader = Thread.currentThread();
    private final ConcurrentLinkedQueue<Told> all = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();
    private final AtomicBoolean rung = new AtomicBoolean();
    private final int most;
    private final boolean patient;
    private volatile boolean poked;
    private int looks;

    /// @param gone whether the client has left
    /// @param answers that it is told of
    /// @param patient whether the reader need not hear of every token at once
    Inbox(Bell bell, BooleanSupplier gone, int answers, boolean patient) {
        this.patient = patient;
        this.most = MOST + MORE * answers;
        this.bell = bell;
        this.gone = gone;
        bell.add(this);
    }

    /// On the engine's thread: neither waits nor wakes anybody itself.
    void add(Told told) {
        int waiting = count.incrementAndGet();
        all.add(told);
        // a token without text can wait for the next
        boolean news = patient ? waiting % SOME == 0 : !told.text().isEmpty();
        if ((news || told.finish().isPresent()) && !rung.get() && rung.compareAndSet(false, true)) {
            bell.ring(this);
        }
    }

    /// Whether the reader is so far behind that its answers are to end.
    boolean overfull() {
        return count.get() > most;
    }

    Optional<Told> poll() {
        Told told = all.poll();
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

    /// By the bell: there is something new.
    void wake() {
        // before the reader looks, so that whatever comes after rings again
        rung.set(false);
        LockSupport.unpark(reader);
    }

    /// By the bell, every now and then.
    void look() {
        looks++;
        if (looks % LOOKS == 0 || gone.getAsBoolean()) {
            poked = true;
            LockSupport.unpark(reader);
        }
    }

    @Override
    public void close() {
        bell.remove(this);
    }
}
