package dev.penjing.inference.speculation;

import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.cache.CachedTokens;
import dev.penjing.inference.constraint.Matcher;
import dev.penjing.inference.forward.Batch;
import java.util.Arrays;
import java.util.Optional;

/// What the draft model proposes for one sequence, and how often it has been right. Used by one
/// thread.
///
/// A proposal is made only where it is more likely than not to be accepted: with the share `a` of
/// the recent ones that were right, k in a row are right with a probability of about a^k. Where not
/// even one is, the draft rests, and is tried with a single token now and then. None of it changes
/// the text, only the time that it takes.
public final class Draft {
    /// Tokens of an answer between two trials of a draft that rests.
    private static final int REST = 32;

    /// What older rounds weigh after each new one.
    private static final double MEMORY = 0.9;

    /// Work that a mask for a proposal may cost on the scheduler's thread: milliseconds. Where it
    /// would cost more, nothing is proposed: workers find it once the model has drawn the token
    /// before it.
    private static final long MASK_WORK = 500_000;

    private final DraftTarget target;

    /// Keys and values in the draft model.
    private final CachedTokens cache = new CachedTokens();

    /// The form behind the proposals of this round.
    private Optional<Matcher> formAhead = Optional.empty();

    private int[] ids = new int[0];
    private int count;
    private int wanted;
    private int proposed;
    private int accepted;

    // an answer starts as if a few proposals had been right, most of them
    private double compared = 4;
    private double right = 3.5;
    private int rested;

    public Draft(DraftTarget target) {
        this.target = target;
    }

    /// Blocks of the draft model's cache that the sequence takes in all.
    ///
    /// @param context of the draft model
    int blocksNeeded(int context, BlockManager manager) {
        return manager.blocksOf(Math.min(target.limit(), context));
    }

    void admit(int context, BlockManager manager) {
        cache.admit(target.tokens(), target.length(), blocksNeeded(context, manager), manager);
    }

    void release(BlockManager manager) {
        cache.release(manager);
    }

    /// How many tokens a draft with this context may propose: the last token of an answer needs
    /// none behind it.
    int room(int context) {
        return Math.min(target.limit() - 1, context) - target.length();
    }

    /// Begins a round without proposals.
    void clear() {
        count = 0;
        wanted = 0;
    }

    /// Decides how many to propose in a round, `most` at most.
    void plan(int most) {
        wanted = depth(most);
    }

    /// Whether more are to be proposed in this round.
    boolean wanting() {
        return count < wanted;
    }

    private int depth(int most) {
        double share = right / compared;
        int depth = 0;
        for (double all = share; depth < most && all >= 0.5; all *= share) {
            depth++;
        }
        if (depth == 0 && most > 0 && ++rested == REST) {
            rested = 0;
            return 1;
        }
        return depth;
    }

    /// Adds the tokens that the draft has not seen to its batch, as many as there is room for.
    ///
    /// @return whether these are all, and proposals wanted: then the last one's logits are, too
    boolean fill(Batch batch, BlockManager manager) {
        int from = cache.computed();
        int missing = target.length() - from;
        int fitting = Math.min(batch.room(), missing);
        boolean ready = fitting == missing && wanting();
        for (int i = 0; i < fitting; i++) {
            int position = from + i;
            boolean last = position == target.length() - 1;
            batch.add(target.tokens()[position], position, cache.blocks(), ready && last);
        }
        // the pass follows before anyone can look for the blocks
        cache.advance(fitting, target.tokens(), manager);
        return ready;
    }

    /// Adds the last proposal to the draft's batch, for the next.
    void fillProposal(Batch batch) {
        int position = target.length() + count - 1;
        batch.add(ids[count - 1], position, cache.blocks(), true);
    }

    /// Adds the proposals to the target's batch, all of their logits wanted.
    ///
    /// @param blocks of the sequence in the target's cache
    public void fillTarget(Batch batch, int[] blocks) {
        for (int i = 0; i < count; i++) {
            batch.add(ids[i], target.length() + i, blocks, true);
        }
    }

    /// Proposes the token that would most likely be drawn from the draft's logits, by the form,
    /// too; or ends the round. Changes the logits.
    void propose(float[] logits, int at, int vocabulary) {
        if (count == 0) {
            formAhead = target.form().map(Matcher::copy);
        }
        Optional<long[]> mask = formAhead.flatMap(form -> form.mask(MASK_WORK));
        if (formAhead.isPresent() && mask.isEmpty()) {
            wanted = count;
            return;
        }
        int id = target.guess(logits, at, vocabulary, mask);
        // a form's last token needs none behind it
        if (formAhead.isPresent() && !goesOn(formAhead.get(), id)) {
            wanted = count;
        } else {
            add(id);
        }
    }

    private static boolean goesOn(Matcher form, int id) {
        return form.accept(id, MASK_WORK) == Matcher.Step.TAKEN && !form.ended();
    }

    private void add(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, count + 8);
        }
        ids[count++] = id;
    }

    public int count() {
        return count;
    }

    public int id(int index) {
        return ids[index];
    }

    /// Ends a round in which the first `matches` proposals became the sequence's tokens.
    void settle(int matches, BlockManager manager) {
        // the draft has not seen its own last proposal
        cache.advance(Math.min(matches, count - 1), target.tokens(), manager);
        proposed += count;
        accepted += matches;
        // what stands behind a wrong one says nothing
        compared = MEMORY * compared + Math.min(count, matches + 1);
        right = MEMORY * right + matches;
    }

    /// In all rounds.
    public int proposed() {
        return proposed;
    }

    /// In all rounds.
    public int accepted() {
        return accepted;
    }
}
