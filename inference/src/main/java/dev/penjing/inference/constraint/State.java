package dev.penjing.inference.constraint;

import java.util.Arrays;
import java.util.List;

/// All ways through a grammar that agree with the bytes so far. Immutable but for the memory of
/// where its steps lead; one object for equal states, as long as the automaton remembers them.
final class State {
    /// No way is left.
    static final State DEAD = new State(List.of());

    /// Where a step leads that was not taken yet.
    static final State UNKNOWN = new State(List.of());

    /// Each about to read a byte, or at the end.
    final List<Stack> ways;

    /// Whether the bytes so far are a whole value.
    final boolean complete;

    private final int hash;
    private State[] steps = new State[0];

    State(List<Stack> ways) {
        this.ways = ways;
        this.complete = ways.contains(Stack.EMPTY);
        this.hash = ways.hashCode();
    }

    /// Whether nothing may follow.
    boolean ended() {
        return complete && ways.size() == 1;
    }

    /// Where a byte leads, or `UNKNOWN`.
    State known(int octet) {
        return steps.length == 0 ? UNKNOWN : steps[octet];
    }

    void learn(int octet, State next) {
        if (steps.length == 0) {
            State[] all = new State[256];
            Arrays.fill(all, UNKNOWN);
            steps = all;
        }
        steps[octet] = next;
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
