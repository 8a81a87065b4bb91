package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

/// How far one answer has come in its constraint. For one thread.
public final class Matcher {
    /// What became of a token.
    public enum Step {
        TAKEN,
        /// It may not come.
        REFUSED,
        /// To say so would take more work than allowed.
        PENDING
    }

    private final Masks masks;
    private final Set<Integer> ends;
    private State state;
    private Names names;

    /// Whether a token that ends an answer has come.
    private boolean over;

    Matcher(Masks masks, State state, Set<Integer> ends) {
        this.masks = masks;
        this.state = state;
        this.ends = ends;
        this.names = masks.names();
    }

    /// One of its own that has come as far.
    public Matcher copy() {
        Matcher copy = new Matcher(masks, state, ends);
        copy.over = over;
        copy.names = names;
        return copy;
    }

    /// Which tokens may come next: token n is bit n % 64 of word n / 64. Special tokens never may,
    /// but for those that end an answer, when the value is complete. Not to be changed.
    ///
    /// @throws UsageException if the constraint can be read in so many ways that it takes too long
    public long[] mask() {
        try {
            return once(masks.mask(state, masks.work()));
        } catch (Work.TooMuch e) {
            throw Work.refusal();
        }
    }

    /// The same if it takes no more than so much [Work]; else nothing.
    public Optional<long[]> mask(long work) {
        try {
            return Optional.of(once(masks.mask(state, Work.of(work))));
        } catch (Work.TooMuch e) {
            return Optional.empty();
        }
    }

    /// The same if it was found before; else nothing.
    Optional<long[]> knownMask() {
        return masks.known(state).map(this::once);
    }

    /// Without the tokens that end a name which its object has already, unless no other may come.
    private long[] once(long[] mask) {
        long[] left = mask;
        for (int id : masks.quoting()) {
            boolean may = (mask[id >> 6] >>> id & 1) != 0;
            if (may && names.after(masks.bytes(id)).repeated()) {
                left = left == mask ? mask.clone() : left;
                left[id >> 6] &= ~(1L << id);
            }
        }
        return Arrays.stream(left).allMatch(word -> word == 0) ? mask : left;
    }

    /// Takes the next token.
    ///
    /// @return whether it may come; if not, nothing has changed
    /// @throws UsageException if the constraint can be read in so many ways that it takes too long
    public boolean accept(int id) {
        try {
            return accept(id, masks.work());
        } catch (Work.TooMuch e) {
            throw Work.refusal();
        }
    }

    /// The same if it takes no more than so much [Work]; else nothing has changed.
    public Step accept(int id, long work) {
        try {
            return accept(id, Work.of(work)) ? Step.TAKEN : Step.REFUSED;
        } catch (Work.TooMuch e) {
            return Step.PENDING;
        }
    }

    private boolean accept(int id, Work work) {
        if (ends.contains(id)) {
            over |= state.complete;
            return state.complete;
        }
        State next = masks.step(state, id, work);
        if (next == State.DEAD) {
            return false;
        }
        Names after = names.after(masks.bytes(id));
        if (after.repeated() && (once(masks.mask(state, work))[id >> 6] >>> id & 1) == 0) {
            return false;
        }
        names = after;
        state = next;
        return true;
    }

    /// Whether what has come is a whole value.
    public boolean complete() {
        return state.complete;
    }

    /// Whether it is one, and nothing may follow.
    public boolean ended() {
        return over || state.ended();
    }
}
