package dev.penjing.inference.constraint;

import java.util.Set;

/// How far one answer has come in its constraint. For one thread.
public final class Matcher {
    private final Masks masks;
    private final Set<Integer> ends;
    private State state;

    /// Whether a token that ends an answer has come.
    private boolean over;

    Matcher(Masks masks, State state, Set<Integer> ends) {
        this.masks = masks;
        this.state = state;
        this.ends = ends;
    }

    /// One of its own that has come as far.
    public Matcher copy() {
        Matcher copy = new Matcher(masks, state, ends);
        copy.over = over;
        return copy;
    }

    /// Which tokens may come next: token n is bit n % 64 of word n / 64. Special tokens never may,
    /// but for those that end an answer, when the value is complete. Not to be changed.
    public long[] mask() {
        return masks.mask(state);
    }

    /// Takes the next token.
    ///
    /// @return whether it may come; if not, nothing has changed
    public boolean accept(int id) {
        if (ends.contains(id)) {
            over |= state.complete;
            return state.complete;
        }
        State next = masks.step(state, id);
        if (next == State.DEAD) {
            return false;
        }
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
