package dev.penjing.inference.scoring;

import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.cache.CachedTokens;
import dev.penjing.inference.forward.Batch;
import dev.penjing.inference.forward.ForwardPass;
import dev.penjing.inference.scheduling.Job;
import dev.penjing.inference.scheduling.Scheduler;
import dev.penjing.inference.scoring.SharedPrefixes.Branch;
import dev.penjing.inference.scoring.SharedPrefixes.Claim;
import dev.penjing.model.PenjingException;
import dev.penjing.model.language.ScoredText;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// Computes log-probabilities of texts between the scheduler's steps, one pass at a time, each with
/// as many rows of as many texts as there are at hand. What texts share at the beginning is
/// computed once, as long as there is memory for it: where there is little, it is computed again.
///
/// A text takes all its blocks before its first row is computed, and is never without them until
/// the last one is: so what has begun can end, whatever else waits for memory.
public final class ScoringJob implements Job {
    /// Is told of scores, on the scheduler's thread.
    public interface Sink {
        /// Of the text's id at `index`.
        ///
        /// @param logits from `at` on, of the vocabulary
        /// @param norm the logarithm of the sum of their exponentials
        void score(int text, int index, float[] logits, int at, double norm);
    }

    /// Floats of a pass's logits at most: 32 MB.
    private static final int LOGITS = 8 << 20;

    /// A branch with blocks.
    private static final class Begun {
        private final Branch branch;
        private final CachedTokens cache = new CachedTokens();

        /// Rows in the pass at hand.
        private int rows;

        Begun(Branch branch) {
            this.branch = branch;
        }

        boolean ended() {
            return cache.computed() == branch.inputs;
        }
    }

    /// Branches one after the other.
    private static final class Chain {
        private final List<Branch> branches;
        private final List<Begun> begun = new ArrayList<>();
        private int next;

        /// The last branch that began. It keeps its blocks, ended or not, until the next branch has
        /// begun, which starts from them; empty if others needed that memory.
        private Optional<Begun> last = Optional.empty();

        Chain(List<Branch> branches) {
            this.branches = branches;
        }

        boolean ready() {
            return next < branches.size()
                    && (last.isEmpty() || last.get().cache.computed() >= branches.get(next).shared);
        }

        boolean ended() {
            return next == branches.size() && begun.isEmpty();
        }

        /// Begins the next branch, if there are blocks for it.
        boolean begin(BlockManager manager, ForwardPass pass) {
            Branch branch = branches.get(next);
            int count = manager.blocksOf(branch.inputs);
            int known = last.isEmpty() ? 0 : branch.shared / manager.blockTokens();
            if (count - known > manager.available()) {
                return false;
            }
            Begun now = new Begun(branch);
            // first: if what follows fails, it is released with the rest
            begun.add(now);
            if (last.isEmpty()) {
                now.cache.admit(branch.ids, branch.firstWanted() + 1, count, manager);
            } else {
                now.cache.branch(last.get().cache, branch.shared, count, manager, pass);
            }
            last = Optional.of(now);
            next++;
            releaseEnded(manager);
            return true;
        }

        /// Gives back the blocks of what has ended, but for the last one's if they are of use.
        void releaseEnded(BlockManager manager) {
            boolean more = next < branches.size();
            begun.removeIf(b -> {
                boolean done = b.ended() && !(more && last.filter(l -> l == b).isPresent());
                if (done) {
                    b.cache.release(manager);
                }
                return done;
            });
        }

        void forget(BlockManager manager) {
            last = Optional.empty();
            releaseEnded(manager);
        }

        void release(BlockManager manager) {
            begun.forEach(b -> b.cache.release(manager));
            begun.clear();
        }
    }

    private final Scheduler scheduler;
    private final Sink sink;
    private final Deque<Chain> waiting = new ArrayDeque<>();
    private final List<Chain> open = new ArrayList<>();
    private final CompletableFuture<Boolean> done = new CompletableFuture<>();
    private double[] norms = new double[0];

    /// @param block positions of a block of the key-value cache
    public ScoringJob(Scheduler scheduler, int block, List<ScoredText> texts, Sink sink) {
        this.scheduler = scheduler;
        this.sink = sink;
        SharedPrefixes.plan(texts, block).forEach(branches -> waiting.add(new Chain(branches)));
    }

    /// Waits until the sink has all scores.
    ///
    /// @throws PenjingException if the engine was closed or failed, or the sink threw
    public void run() {
        if (waiting.isEmpty()) {
            return;
        }
        scheduler.submit(this);
        try {
            done.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause();
            throw cause instanceof PenjingException known
                    ? new PenjingException(String.valueOf(known.getMessage()), known)
                    : new PenjingException("scoring failed: " + cause, e);
        }
    }

    @Override
    public void run(ForwardPass pass, BlockManager manager, boolean room) {
        try {
            step(pass, manager, room);
            if (waiting.isEmpty() && open.isEmpty()) {
                done.complete(true);
            } else {
                scheduler.submit(this);
            }
        } catch (RuntimeException | Error e) {
            open.forEach(chain -> chain.release(manager));
            done.completeExceptionally(e);
        }
    }

    @Override
    public void fail(Throwable cause) {
        done.completeExceptionally(cause);
    }

    private void step(ForwardPass pass, BlockManager manager, boolean room) {
        Batch batch = new Batch(pass.maxRows());
        int mostWanted = Math.max(1, LOGITS / pass.logitsStride());
        List<Begun> inBatch = fill(batch, mostWanted, pass, manager, room);
        if (inBatch.isEmpty()) {
            // nothing has begun: whoever needs memory, this job too, may have what it holds
            open.forEach(chain -> chain.forget(manager));
            inBatch = fill(batch, mostWanted, pass, manager, room);
        }
        if (inBatch.isEmpty()) {
            return;
        }
        float[] logits = pass.forward(batch);
        int wanted = batch.wantedRows();
        norms = norms.length < wanted ? new double[wanted] : norms;
        pass.logSumExps(logits, wanted, norms);
        int row = 0;
        for (Begun b : inBatch) {
            int from = b.cache.computed();
            for (int position = from; position < from + b.rows; position++) {
                if (b.branch.wanted(position)) {
                    int at = row * pass.logitsStride();
                    for (Claim claim : b.branch.claims()) {
                        if (claim.from() <= position && position < claim.to()) {
                            sink.score(claim.text(), position + 1, logits, at, norms[row]);
                        }
                    }
                    row++;
                }
            }
            b.cache.advance(b.rows, b.branch.ids, manager);
        }
        open.forEach(chain -> chain.releaseEnded(manager));
        open.removeIf(Chain::ended);
    }

    /// Fills the batch: with what has begun, in order, and then with what can begin.
    private List<Begun> fill(
            Batch batch, int mostWanted, ForwardPass pass, BlockManager manager, boolean room) {
        List<Begun> filled = new ArrayList<>();
        for (Chain chain : open) {
            for (Begun b : chain.begun) {
                add(b, batch, mostWanted, filled);
            }
        }
        if (room) {
            begin(batch, mostWanted, pass, manager, filled);
        }
        return filled;
    }

    private void begin(
            Batch batch,
            int mostWanted,
            ForwardPass pass,
            BlockManager manager,
            List<Begun> filled) {
        for (int i = 0; !full(batch, mostWanted); i++) {
            if (i == open.size()) {
                if (waiting.isEmpty()) {
                    return;
                }
                open.add(waiting.remove());
            }
            Chain chain = open.get(i);
            while (chain.ready() && !full(batch, mostWanted)) {
                if (!chain.begin(manager, pass)) {
                    return;
                }
                add(chain.begun.getLast(), batch, mostWanted, filled);
            }
        }
    }

    private static boolean full(Batch batch, int mostWanted) {
        return batch.room() == 0 || batch.wantedRows() == mostWanted;
    }

    private static void add(Begun b, Batch batch, int mostWanted, List<Begun> filled) {
        b.rows = 0;
        for (int p = b.cache.computed(); p < b.branch.inputs && !full(batch, mostWanted); p++) {
            batch.add(b.branch.ids[p], p, b.cache.blocks(), b.branch.wanted(p));
            b.rows++;
        }
        if (b.rows > 0) {
            filled.add(b);
        }
    }
}
