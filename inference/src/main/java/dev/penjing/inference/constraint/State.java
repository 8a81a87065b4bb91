package dev.penjing.inference.constraint;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// All ways through a grammar that agree with the bytes so far. Immutable but for the memory of
/// where its steps lead, which is thread-safe; one object for equal states, as long as the
/// automaton remembers them.
final class State {
    private static final AtomicReferenceArray<State> NONE = new AtomicReferenceArray<>(0);

    /// No way is left.
    static final State DEAD = new State(List.of());

    /// Where a step leads that was not taken yet.
    static final State UNKNOWN = new State(List.of());

    /// Each about to read a byte, or at the end.
    final List<ParserStack> ways;

    /// Whether the bytes so far are a whole value.
    final boolean complete;

    private final int hash;
    private final AtomicReference<AtomicReferenceArray<State>> steps = new AtomicReference<>(NONE);

    State(List<ParserStack> ways) {
        this.ways = ways;
        this.complete = ways.contains(ParserStack.EMPTY);
        this.hash = ways.hashCode();
    }

    /// Whether nothing may follow.
    boolean ended() {
        return complete && ways.size() == 1;
    }

    /// Where a byte leads, or `UNKNOWN`.
    State known(int octet) {
        AtomicReferenceArray<State> all = steps.get();
        return all == NONE ? UNKNOWN : all.get(octet);
    }

    void learn(int octet, State next) {
        if (steps.get() == NONE) {
            State[] all = new State[256];
            Arrays.fill(all, UNKNOWN);
            steps.compareAndSet(NONE, new AtomicReferenceArray<>(all));
        }
        steps.get().set(octet, next);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || other instanceof State state && hash == state.hash && ways.equals(state.ways);
    }
}
