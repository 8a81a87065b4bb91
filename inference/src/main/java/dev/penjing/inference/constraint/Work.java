package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;

/// What finding states and masks may cost. For one thread.
///
/// A node of the vocabulary's tree counts for one, a step through the grammar for [#STEP], as it
/// takes at least so many times as long.
final class Work {
    /// What a step through the grammar counts for.
    static final int STEP = 10;

    /// What a mask may cost at most: some tenths of a second.
    static final long MASK = 20_000_000;

    /// Thrown where more would be needed. What was found until then is kept: the next attempt goes
    /// on from there.
    static final class TooMuch extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooMuch() {
            super("more work than allowed", null, false, false);
        }
    }

    private static final TooMuch TOO_MUCH = new TooMuch();

    private final long most;
    private long done;
    private boolean cut;

    private Work(long most) {
        this.most = most;
    }

    /// As much as it takes.
    static Work unlimited() {
        return new Work(Long.MAX_VALUE);
    }

    /// As much as `most`.
    static Work of(long most) {
        return new Work(most);
    }

    /// @throws TooMuch if that is more than allowed
    void add(long more) {
        done += more;
        if (done > most) {
            throw TOO_MUCH;
        }
    }

    long done() {
        return done;
    }

    /// Notes that ways of an ambiguous grammar were left out.
    void cut() {
        cut = true;
    }

    /// Whether ways were left out.
    boolean wasCut() {
        return cut;
    }

    /// What to say of a constraint that takes too much.
    static UsageException refusal() {
        return new UsageException(
                "the constraint can be read in too many ways: take out repetitions of what is itself repeated or optional, and alternatives that begin alike");
    }
}
