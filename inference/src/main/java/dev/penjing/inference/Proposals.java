package dev.penjing.inference;

/// What a draft proposes for one sequence, and how often it has been right. Used by one thread.
///
/// A proposal is made only where it is more likely than not to be accepted: with the share `a` of
/// the recent ones that were right, k in a row are right with a probability of about a^k. Where not
/// even one is, the draft rests, and is tried with a single token now and then. None of it changes
/// the text, only the time that it takes.
final class Proposals {
    /// Tokens of an answer between two trials of a draft that rests.
    private static final int REST = 32;

    /// What older rounds weigh after each new one.
    private static final double MEMORY = 0.9;

    /// Keys and values in the draft.
    final CachedTokens cache = new CachedTokens();

    private int[] ids = new int[0];
    private int count;
    private int wanted;
    private int proposed;
    private int accepted;

    // an answer starts as if a few proposals had been right, most of them
    private double compared = 4;
    private double right = 3.5;
    private int rested;

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

    /// Ends the proposing of this round.
    void enough() {
        wanted = count;
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

    void add(int id) {
        if (count == ids.length) {
            ids = java.util.Arrays.copyOf(ids, count + 8);
        }
        ids[count++] = id;
    }

    int count() {
        return count;
    }

    int id(int index) {
        return ids[index];
    }

    /// Ends a round in which the first `matches` proposals were what the target drew.
    void settle(int matches) {
        proposed += count;
        accepted += matches;
        // what stands behind a wrong one says nothing
        compared = MEMORY * compared + Math.min(count, matches + 1);
        right = MEMORY * right + matches;
    }

    /// In all rounds.
    int proposed() {
        return proposed;
    }

    /// In all rounds.
    int accepted() {
        return accepted;
    }
}
