package dev.penjing.inference;

import dev.penjing.model.PenjingException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;

/// Runs all sequences through the model, step by step, on a thread of its own: in each step every
/// answer in the making gets its next token, and what room is left goes to prompts, in the order in
/// which they came. So a long prompt delays the others' tokens by a chunk at most. With a draft, an
/// answer gets as many tokens in a step as proposals turned out right, and one more.
final class Scheduler implements AutoCloseable {
    /// Work on the model between two steps: a pass of its own at most, or the running answers wait
    /// too long. A job that is not done submits itself again.
    interface Job {
        /// @param room whether it may take blocks: requests that wait for some come first
        void run(Transformer transformer, BlockManager manager, boolean room);

        /// Called instead if the engine closes before.
        void fail();
    }

    private final Engine engine;
    private final Transformer transformer;
    private final BlockManager manager;
    private final Optional<Drafter> drafter;
    private final int vocabulary;
    private final int maxSequences;
    private final int chunk;
    private final Batch batch;
    private final Thread thread;

    private final ConcurrentLinkedQueue<Sequence> arrivals = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Job> jobs = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
    private final List<Sequence> running = new ArrayList<>();

    /// Requests that were let in so far, and how many there were when a job was let in before those
    /// that wait.
    private long admissions;

    private long turn = -1;
    private volatile Engine.Load load;
    private volatile boolean closed;

    Scheduler(
            Engine engine,
            Transformer transformer,
            BlockManager manager,
            Optional<Drafter> drafter,
            int vocabulary,
            int rows,
            EngineOptions options) {
        this.engine = engine;
        this.transformer = transformer;
        this.manager = manager;
        this.drafter = drafter;
        this.vocabulary = vocabulary;
        this.maxSequences = options.maxSequences();
        this.chunk = options.chunk();
        this.batch = new Batch(rows);
        this.load = measure();
        this.thread = Thread.ofPlatform().daemon().name("penjing-scheduler").start(this::run);
    }

    void submit(Sequence sequence) {
        if (sequence.blocksNeeded() > manager.total()) {
            throw new PenjingException(
                    "the request needs more keys and values than there is memory for: ask for fewer tokens");
        }
        arrivals.add(sequence);
        wake();
    }

    void submit(Job job) {
        jobs.add(job);
        wake();
    }

    private void wake() {
        LockSupport.unpark(thread);
        if (closed) {
            // the thread may have looked for the last time already
            failArrivals();
        }
    }

    Engine.Load load() {
        return load;
    }

    int maxSequences() {
        return maxSequences;
    }

    boolean alive() {
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
        } finally {
            closed = true;
            running.forEach(s -> finish(s, Finish.Reason.FAILED));
            waiting.forEach(s -> finish(s, Finish.Reason.FAILED));
            failArrivals();
        }
    }

    private void report() {
        load = measure();
    }

    private Engine.Load measure() {
        return new Engine.Load(
                running.size(),
                waiting.size(),
                manager.available(),
                manager.total(),
                drafter.map(Drafter::load).orElse(Engine.DraftLoad.NONE));
    }

    private void failArrivals() {
        for (Sequence s = arrivals.poll(); s != null; s = arrivals.poll()) {
            finish(s, Finish.Reason.FAILED);
        }
        for (Job job = jobs.poll(); job != null; job = jobs.poll()) {
            job.fail();
        }
    }

    /// Whether there was anything to do.
    private boolean step() {
        for (Sequence s = arrivals.poll(); s != null; s = arrivals.poll()) {
            waiting.add(s);
        }
        Job job = jobs.poll();
        if (job != null) {
            job.run(transformer, manager, room());
        }
        dropCancelled();
        admit();
        if (running.isEmpty()) {
            return job != null || !waiting.isEmpty();
        }
        long start = System.nanoTime();
        drafter.ifPresent(d -> d.propose(running));
        int[] counts = fill();
        int stride = transformer.logitsStride();
        float[] logits = transformer.forward(batch);
        long nanos = System.nanoTime() - start;
        int at = 0;
        int drawn = 0;
        Iterator<Sequence> all = running.iterator();
        for (int i = 0; all.hasNext(); i++) {
            Sequence sequence = all.next();
            boolean complete = counts[i] > 0 && counts[i] == sequence.waiting();
            sequence.advance(counts[i], manager);
            if (complete) {
                int before = sequence.made();
                Optional<Finish.Reason> end = next(sequence, logits, at);
                drawn += sequence.made() - before;
                at += stride * (1 + sequence.draft.count());
                if (end.isPresent()) {
                    all.remove();
                    end(sequence, end.get());
                }
            }
        }
        int tokens = drawn;
        drafter.ifPresent(d -> d.took(tokens, nanos));
        return true;
    }

    /// Draws a token, and one more behind each proposal that it drew itself.
    private Optional<Finish.Reason> next(Sequence sequence, float[] logits, int at) {
        int proposals = sequence.draft.count();
        Optional<Finish.Reason> end = draw(sequence, logits, at);
        int matches = 0;
        while (end.isEmpty()
                && !sequence.cancelled()
                && matches < proposals
                && sequence.lastToken() == sequence.draft.id(matches)) {
            sequence.advance(1, manager);
            matches++;
            end = draw(sequence, logits, at + matches * transformer.logitsStride());
        }
        if (proposals > 0) {
            int right = matches;
            drafter.ifPresent(d -> d.settle(sequence, right));
        }
        return end;
    }

    /// A listener that throws ends its own answer, nobody else's.
    private Optional<Finish.Reason> draw(Sequence sequence, float[] logits, int at) {
        try {
            return sequence.next(logits, at, vocabulary, engine);
        } catch (RuntimeException e) {
            return Optional.of(Finish.Reason.CANCELLED);
        }
    }

    private void end(Sequence sequence, Finish.Reason reason) {
        sequence.release(manager);
        drafter.ifPresent(d -> d.release(sequence));
        report();
        finish(sequence, reason);
    }

    private static void finish(Sequence sequence, Finish.Reason reason) {
        try {
            sequence.finish(reason);
        } catch (RuntimeException e) {
            // a listener's own trouble: its answer has ended all the same
        }
    }

    private void dropCancelled() {
        dropCancelled(running.iterator());
        dropCancelled(waiting.iterator());
    }

    private void dropCancelled(Iterator<Sequence> all) {
        while (all.hasNext()) {
            Sequence sequence = all.next();
            if (sequence.cancelled()) {
                all.remove();
                end(sequence, Finish.Reason.CANCELLED);
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
        boolean first = turn != admissions;
        turn = admissions;
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
                sequence.listener.admitted();
            } catch (RuntimeException e) {
                sequence.cancel();
            }
        }
    }

    private boolean fits(Sequence sequence) {
        return sequence.blocksNeeded() <= manager.available()
                && drafter.map(d -> d.fits(sequence)).orElse(true);
    }

    /// Fills the batch; returns how many tokens of each running sequence it holds, proposals not
    /// counted.
    private int[] fill() {
        batch.clear();
        int[] counts = new int[running.size()];
        for (int i = 0; i < counts.length; i++) {
            if (running.get(i).decoding()) {
                counts[i] = 1;
            }
        }
        int room = chunk;
        for (int i = 0; i < counts.length; i++) {
            Sequence sequence = running.get(i);
            if (!sequence.decoding()) {
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
