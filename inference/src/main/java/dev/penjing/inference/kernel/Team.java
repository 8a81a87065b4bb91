package dev.penjing.inference.kernel;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Threads that work on the same thing at once, part by part, with a barrier that costs less than a
/// microsecond: who waits looks again and again for a moment before it sleeps.
///
/// One thread uses a team at a time, and is its first member.
public final class Team implements AutoCloseable {
    /// What each member does, given its number from 0 and its own buffers.
    public interface Task {
        void run(int member, Scratch scratch);
    }

    /// What a member does with a part of the work.
    public interface Part {
        void run(int from, int to, Scratch scratch);
    }

    /// Looks before sleeping: about 50 microseconds.
    private static final int LOOKS = 2_000;

    private final List<Thread> threads = new ArrayList<>();
    private final Scratch[] scratches;
    private final AtomicInteger busy = new AtomicInteger();
    private volatile int round;
    private volatile boolean closed;
    private @Nullable Task task;
    private volatile @Nullable Throwable failure;

    public Team(int members) {
        if (members < 1) {
            throw new UsageException("--threads must be 0 (one a core) or more");
        }
        scratches = new Scratch[members];
        for (int i = 0; i < members; i++) {
            scratches[i] = new Scratch();
            if (i > 0) {
                int member = i;
                threads.add(
                        Thread.ofPlatform()
                                .daemon()
                                .name("penjing-" + member)
                                .start(() -> work(member)));
            }
        }
    }

    public int members() {
        return scratches.length;
    }

    /// Runs `work` on all members and returns when all are done.
    public void run(Task work) {
        if (scratches.length == 1) {
            work.run(0, scratches[0]);
            return;
        }
        task = work;
        busy.set(threads.size());
        round++;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        try {
            work.run(0, scratches[0]);
        } finally {
            while (busy.get() > 0) {
                Thread.onSpinWait();
            }
            task = null;
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            if (thrown instanceof PenjingException known) {
                throw known;
            }
            throw new IllegalStateException("a worker failed", thrown);
        }
    }

    /// Runs `part` over all of 0 to `units`. Members take parts as they become free, large ones
    /// first and small ones at last: they read memory at different speeds.
    public void split(int units, Part part) {
        if (scratches.length == 1) {
            part.run(0, units, scratches[0]);
            return;
        }
        AtomicInteger next = new AtomicInteger();
        run((member, scratch) -> {
            for (int from = next.get(); from < units; from = next.get()) {
                int to = from + Math.max(1, (units - from) / (2 * scratches.length));
                if (next.compareAndSet(from, to)) {
                    part.run(from, to, scratch);
                }
            }
        });
    }

    private void work(int member) {
        int seen = 0;
        while (true) {
            int looks = 0;
            while (round == seen) {
                if (closed) {
                    return;
                }
                if (looks++ < LOOKS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            seen++;
            Task work = task;
            try {
                if (work != null) {
                    work.run(member, scratches[member]);
                }
            } catch (RuntimeException | Error e) {
                failure = e;
            } finally {
                busy.decrementAndGet();
            }
        }
    }

    /// The first of a member's share of `units`; the share ends where the next member's begins.
    public int share(int member, int units) {
        return (int) ((long) units * member / scratches.length);
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(LockSupport::unpark);
    }
}
