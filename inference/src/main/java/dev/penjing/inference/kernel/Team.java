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
/// A member that is not there in time, because the system gave its core to somebody else, is not
/// waited for: the others do its share. So two teams on the same cores do not stop each other.
///
/// One thread uses a team at a time, and is one of its members.
public final class Team implements AutoCloseable {
    /// What a member does with a part of the work.
    public interface Part {
        void run(int from, int to, Scratch scratch);
    }

    /// Looks before a member sleeps: about 50 microseconds.
    private static final int LOOKS = 2_000;

    private final List<Thread> threads = new ArrayList<>();
    private final Scratch own = new Scratch();
    private volatile boolean closed;
    private volatile Round round = new Round(0, 1, (from, to, scratch) -> {});

    public Team(int members) {
        if (members < 1) {
            throw new UsageException("threads must be at least 1");
        }
        for (int i = 1; i < members; i++) {
            threads.add(Thread.ofPlatform().daemon().name("penjing-" + i).start(() -> work(round)));
        }
    }

    public int members() {
        return 1 + threads.size();
    }

    /// Runs `part` over all of 0 to `units`. Members take parts as they become free, large ones
    /// first and small ones at last: they read memory at different speeds.
    public void split(int units, Part part) {
        if (threads.isEmpty() || units == 1) {
            part.run(0, units, own);
            return;
        }
        Round now = new Round(units, members(), part);
        round = now;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
        now.take(own);
        now.awaitOthers();
    }

    /// One piece of work. A member that comes late finds its parts taken.
    private static final class Round {
        private final int units;
        private final int members;
        private final Part part;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger busy = new AtomicInteger();
        private volatile @Nullable Throwable failure;

        Round(int units, int members, Part part) {
            this.units = units;
            this.members = members;
            this.part = part;
        }

        void take(Scratch scratch) {
            busy.incrementAndGet();
            try {
                for (int from = next.get(); from < units; from = next.get()) {
                    int to = from + Math.max(1, (units - from) / (2 * members));
                    if (next.compareAndSet(from, to)) {
                        part.run(from, to, scratch);
                    }
                }
            } catch (RuntimeException | Error e) {
                failure = e;
                next.set(units);
            } finally {
                busy.decrementAndGet();
            }
        }

        /// After all parts were taken: until they are done.
        void awaitOthers() {
            for (int looks = 0; busy.get() > 0; looks++) {
                if (looks < LOOKS) {
                    Thread.onSpinWait();
                } else {
                    // whoever is at it may need this core
                    Thread.yield();
                }
            }
            Throwable thrown = failure;
            if (thrown instanceof PenjingException known) {
                throw known;
            }
            if (thrown != null) {
                throw new IllegalStateException("a worker failed", thrown);
            }
        }
    }

    private void work(Round first) {
        Scratch scratch = new Scratch();
        Round seen = first;
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
            seen = round;
            seen.take(scratch);
        }
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(LockSupport::unpark);
    }
}
