package dev.penjing.inference.scheduling;

import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.StopGeneration;
import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.inference.speculation.Drafter;
import dev.penjing.model.PenjingException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/// Continuous batching: runs all sequences through the model, step by step, on a thread of its own.
/// In each step every answer in the making gets its next token, and what room is left goes to
/// prompts (chunked prefill), in the order in which they came. So a long prompt delays the others'
/// tokens by a chunk at most. With a draft (speculative decoding), an answer gets as many tokens in
/// a step as proposals turned out right, and one more.
///
/// What a sampler, a constraint or a listener throws ends its own answer as FAILED, and is logged.
/// What the model throws ends them all, and the scheduler.
public final class Scheduler implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("penjing");

    /// An end that has a cause if it is a failure.
    private record End(Finish.Reason reason, Optional<Throwable> cause) {
        static End of(Finish.Reason reason) {
            return new End(reason, Optional.empty());
        }

        static End failed(Throwable cause) {
            return new End(Finish.Reason.FAILED, Optional.of(cause));
        }
    }

    private final ForwardPass pass;
    private final BlockManager manager;
    private final Optional<Drafter> drafter;
    private final int maxSequences;
    private final int chunk;
    private final Batch batch;
    private final Thread thread;

    private final ConcurrentLinkedQueue<Sequence> arrivals = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Job> jobs = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
    private final List<Sequence> running = new ArrayList<>();

    /// Requests that were admitted so far.
    private long admissions;

    /// What [#admissions] was when a job was last let in before the requests that wait; -1 if none
    /// ever was.
    private long admissionsAtJob = -1;

    private volatile EngineLoad load;
    private volatile boolean closed;

    /// What ended the scheduler.
    private volatile Throwable end = new PenjingException("the engine was closed");

    /// @param pass whose batches have room for a chunk and a token of every sequence, with its
    ///   proposals
    /// @param maxSequences that run at once
    /// @param chunk prompt tokens that go through the model in a step
    public Scheduler(ForwardPass pass, Optional<Drafter> drafter, int maxSequences, int chunk) {
        this.pass = pass;
        this.manager = new BlockManager(pass.blocks(), pass.blockTokens());
        this.drafter = drafter;
        this.maxSequences = maxSequences;
        this.chunk = chunk;
        this.batch = new Batch(pass.maxRows());
        this.load = measure();
        this.thread = Thread.ofPlatform().daemon().name("penjing-scheduler").start(this::run);
    }

    /// @throws PenjingException if there is not memory enough for it, even alone
    public void submit(Sequence sequence) {
        if (manager.blocksOf(sequence.limit()) > manager.total()) {
            throw new PenjingException(
                    "the request needs more keys and values than there is memory for: ask for fewer tokens");
        }
        arrivals.add(sequence);
        wake();
    }

    public void submit(Job job) {
        jobs.add(job);
        wake();
    }

    /// Has the scheduler look whether there is something to do.
    public void wake() {
        LockSupport.unpark(thread);
        if (closed) {
            // the thread may have looked for the last time already
            failArrivals();
        }
    }

    public EngineLoad load() {
        return load;
    }

    public int maxSequences() {
        return maxSequences;
    }

    /// Whether it still runs.
    public boolean alive() {
        return !closed && thread.isAlive();
    }

    private void run() {
        try {
            while (!closed) {
                boolean idle = !step();
                report();
                if (idle && arrivals.isEmpty() && jobs.isEmpty() && !closed) {
                    LockSupport.park(this);
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "the engine failed, and answers no more", e);
            end = new PenjingException("the engine failed: load the model again", e);
        } finally {
            closed = true;
            running.forEach(s -> finish(s, End.failed(end)));
            waiting.forEach(s -> finish(s, End.failed(end)));
            failArrivals();
        }
    }

    private void report() {
        load = measure();
    }

    private EngineLoad measure() {
        return new EngineLoad(
                running.size(),
                waiting.size(),
                manager.available(),
                manager.total(),
                drafter.map(Drafter::load).orElse(DraftLoad.NONE));
    }

    private void failArrivals() {
        for (Sequence s = arrivals.poll(); s != null; s = arrivals.poll()) {
            finish(s, End.failed(end));
        }
        for (Job job = jobs.poll(); job != null; job = jobs.poll()) {
            job.fail(end);
        }
    }

    /// Whether there was anything to do.
    private boolean step() {
        for (Sequence s = arrivals.poll(); s != null; s = arrivals.poll()) {
            waiting.add(s);
        }
        Job job = jobs.poll();
        if (job != null) {
            job.run(pass, manager, room());
        }
        dropCancelled();
        admit();
        resumeHeld();
        List<Sequence> active = running.stream().filter(s -> !s.held()).toList();
        if (active.isEmpty()) {
            return job != null || running.isEmpty() && !waiting.isEmpty();
        }
        long start = System.nanoTime();
        drafter.ifPresent(d -> d.propose(active));
        int[] counts = fill(active);
        int stride = pass.logitsStride();
        float[] logits = pass.forward(batch);
        long nanos = System.nanoTime() - start;
        int at = 0;
        int drawn = 0;
        for (int i = 0; i < counts.length; i++) {
            Sequence sequence = active.get(i);
            boolean complete = counts[i] > 0 && counts[i] == sequence.waiting();
            sequence.advance(counts[i], manager);
            if (complete) {
                int before = sequence.made();
                int rows = 1 + sequence.draft().count();
                Optional<End> ended = next(sequence, logits, at);
                drawn += sequence.made() - before;
                at += stride * rows;
                ended.ifPresent(e -> end(sequence, e));
            }
        }
        int tokens = drawn;
        drafter.ifPresent(d -> d.took(tokens, nanos));
        return true;
    }

    /// Draws a token, and one more behind each proposal that it drew itself.
    private Optional<End> next(Sequence sequence, float[] logits, int at) {
        int proposals = sequence.draft().count();
        Optional<End> ended = draw(sequence, logits, at);
        int matches = 0;
        while (ended.isEmpty()
                && !sequence.held()
                && !sequence.cancelled()
                && matches < proposals
                && sequence.lastToken() == sequence.draft().id(matches)) {
            sequence.advance(1, manager);
            matches++;
            ended = draw(sequence, logits, at + matches * pass.logitsStride());
        }
        if (proposals > 0) {
            int right = matches;
            drafter.ifPresent(d -> d.settle(sequence, right));
        }
        return ended;
    }

    private Optional<End> draw(Sequence sequence, float[] logits, int at) {
        try {
            return sequence.next(pass, logits, at).map(End::of);
        } catch (RuntimeException | Error e) {
            return Optional.of(thrown(e));
        }
    }

    /// Goes on with sequences whose masks workers have found.
    private void resumeHeld() {
        for (Sequence sequence : List.copyOf(running)) {
            if (sequence.held()) {
                try {
                    sequence.resume(pass).ifPresent(reason -> end(sequence, End.of(reason)));
                } catch (RuntimeException | Error e) {
                    end(sequence, thrown(e));
                }
            }
        }
    }

    /// The end of an answer whose sampler, constraint or listener threw.
    private static End thrown(Throwable thrown) {
        if (thrown instanceof StopGeneration) {
            return End.of(Finish.Reason.CANCELLED);
        }
        LOG.log(System.Logger.Level.ERROR, "an answer failed", thrown);
        return End.failed(thrown);
    }

    /// Ends a sequence that runs.
    private void end(Sequence sequence, End how) {
        running.remove(sequence);
        sequence.release(manager);
        drafter.ifPresent(d -> d.release(sequence));
        report();
        finish(sequence, how);
    }

    private static void finish(Sequence sequence, End how) {
        try {
            sequence.finish(how.reason, how.cause);
        } catch (RuntimeException | Error e) {
            LOG.log(System.Logger.Level.ERROR, "a listener failed when its answer ended", e);
        }
    }

    private void dropCancelled() {
        for (Sequence sequence : List.copyOf(running)) {
            if (sequence.cancelled()) {
                end(sequence, End.of(Finish.Reason.CANCELLED));
            }
        }
        Iterator<Sequence> all = waiting.iterator();
        while (all.hasNext()) {
            Sequence sequence = all.next();
            if (sequence.cancelled()) {
                all.remove();
                report();
                finish(sequence, End.of(Finish.Reason.CANCELLED));
            }
        }
    }

    /// Whether a job may take blocks. Where requests wait for some, it may once between two of
    /// them: so neither waits for ever.
    private boolean room() {
        boolean crowded =
                !waiting.isEmpty() && running.size() < maxSequences && !fits(waiting.getFirst());
        if (!crowded) {
            return true;
        }
        boolean first = admissionsAtJob != admissions;
        admissionsAtJob = admissions;
        return first;
    }

    private void admit() {
        while (!waiting.isEmpty() && running.size() < maxSequences && fits(waiting.getFirst())) {
            Sequence sequence = waiting.removeFirst();
            sequence.admit(manager);
            drafter.ifPresent(d -> d.admit(sequence));
            running.add(sequence);
            admissions++;
            try {
                sequence.listener().admitted();
            } catch (RuntimeException | Error e) {
                end(sequence, thrown(e));
            }
        }
    }

    private boolean fits(Sequence sequence) {
        return manager.blocksOf(sequence.limit()) <= manager.available()
                && drafter.map(d -> d.fits(sequence)).orElse(true);
    }

    /// Fills the batch; returns how many tokens of each sequence it holds, proposals not counted.
    private int[] fill(List<Sequence> active) {
        batch.clear();
        int[] counts = new int[active.size()];
        int room = chunk;
        for (int i = 0; i < counts.length; i++) {
            Sequence sequence = active.get(i);
            if (sequence.decoding()) {
                counts[i] = 1;
            } else {
                sequence.catchUp(manager);
                counts[i] = Math.min(room, sequence.waiting());
                room -= counts[i];
            }
            sequence.fill(batch, counts[i]);
        }
        return counts;
    }

    @Override
    public void close() {
        if (Thread.currentThread() == thread) {
            throw new IllegalStateException("a listener may not close the engine");
        }
        closed = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
