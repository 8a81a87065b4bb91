package dev.penjing.inference.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Runs a grammar on bytes. Remembers the states that it has met, and so becomes a table. Not for
/// more than one thread at a time.
final class Automaton {
    /// Ways that a state keeps, and those of them that are at the same node. An ambiguous grammar
    /// may have more (each level of some recursive ones doubles them); then those are left out that
    /// sort last, and what only they would have allowed is not allowed.
    private static final int MOST_WAYS = 1024;

    private static final int MOST_ALIKE = 64;

    private static final int MOST_STEPS = 50_000;
    private static final int MOST_STATES = 8192;

    private final Grammar grammar;
    private final Map<State, State> states = new HashMap<>();
    private boolean cut;
    private long work;

    Automaton(Grammar grammar) {
        this.grammar = grammar;
    }

    State start() {
        return closure(List.of(Stack.EMPTY.push(grammar.entry(0), 0)));
    }

    /// The state after one more byte.
    State step(State state, int octet) {
        State known = state.known(octet);
        if (known != State.UNKNOWN) {
            return known;
        }
        List<Stack> ways = new ArrayList<>();
        for (Stack way : state.ways) {
            if (way != Stack.EMPTY
                    && grammar.node(way.node) instanceof Grammar.Read read
                    && read.set().contains(octet)) {
                ways.add(way.below.push(read.next(), 0));
            }
        }
        State next = ways.isEmpty() ? State.DEAD : closure(ways);
        state.learn(octet, next);
        return next;
    }

    /// Which of a state's ways, by their numbers, read a byte.
    BitSet readers(State state, int octet) {
        BitSet readers = new BitSet();
        for (int i = 0; i < state.ways.size(); i++) {
            Stack way = state.ways.get(i);
            if (way != Stack.EMPTY
                    && grammar.node(way.node) instanceof Grammar.Read read
                    && read.set().contains(octet)) {
                readers.set(i);
            }
        }
        return readers;
    }

    State step(State state, byte[] octets) {
        State at = state;
        for (int i = 0; i < octets.length && at != State.DEAD; i++) {
            at = step(at, octets[i] & 0xff);
        }
        return at;
    }

    /// The state of these ways, each followed to where it reads.
    State closure(List<Stack> from) {
        ArrayDeque<Stack> todo = new ArrayDeque<>(from);
        Set<Stack> seen = new HashSet<>();
        List<Stack> ways = new ArrayList<>();
        while (!todo.isEmpty() && seen.size() < MOST_STEPS) {
            Stack way = todo.remove();
            if (!seen.add(way)) {
                continue;
            }
            if (way == Stack.EMPTY || grammar.node(way.node) instanceof Grammar.Read) {
                ways.add(way);
            } else {
                follow(way, todo);
            }
        }
        cut |= !todo.isEmpty();
        work += seen.size();
        ways.sort(Comparator.comparingInt(Stack::hashCode));
        return remember(ways.size() > MOST_ALIKE ? few(ways) : ways);
    }

    /// Whether ways were left out.
    boolean cut() {
        return cut;
    }

    /// Steps from node to node so far, those to states that were known not counted.
    long work() {
        return work;
    }

    private List<Stack> few(List<Stack> ways) {
        Map<Integer, Integer> alike = new HashMap<>();
        List<Stack> kept = new ArrayList<>();
        for (Stack way : ways) {
            if (alike.merge(way.node, 1, Integer::sum) <= MOST_ALIKE && kept.size() < MOST_WAYS) {
                kept.add(way);
            }
        }
        cut |= kept.size() < ways.size();
        return kept;
    }

    private void follow(Stack way, ArrayDeque<Stack> todo) {
        Stack below = way.below;
        switch (grammar.node(way.node)) {
            case Grammar.Split split -> {
                for (int next : split.next()) {
                    add(below, next, todo);
                }
            }
            case Grammar.Call call ->
                    add(below.push(call.next(), 0), grammar.entry(call.rule()), todo);
            case Grammar.Loop loop -> {
                if (way.count >= loop.min()) {
                    add(below, loop.next(), todo);
                }
                if (way.count < loop.max()) {
                    int most = loop.max() == Expr.UNBOUNDED ? Math.max(1, loop.min()) : loop.max();
                    Stack again = below.push(way.node, Math.min(way.count + 1, most));
                    add(again, loop.body(), todo);
                }
            }
            case Grammar.Return _ -> todo.add(below);
            case Grammar.Read _ -> {}
        }
    }

    private void add(Stack below, int node, ArrayDeque<Stack> todo) {
        if (grammar.productive(node)) {
            todo.add(below.push(node, 0));
        }
    }

    /// States with their counts as small as the next `bytes` bytes allow: few stand for many.
    State clamped(State state, int bytes) {
        List<Stack> ways = new ArrayList<>();
        boolean same = true;
        for (Stack way : state.ways) {
            Stack clamped = way.clamped(grammar, bytes);
            same &= clamped == way;
            ways.add(clamped);
        }
        if (same) {
            return state;
        }
        ways = new ArrayList<>(new HashSet<>(ways));
        ways.sort(Comparator.comparingInt(Stack::hashCode));
        return remember(ways);
    }

    private State remember(List<Stack> ways) {
        if (states.size() >= MOST_STATES) {
            states.clear();
        }
        State state = new State(List.copyOf(ways));
        State known = states.putIfAbsent(state, state);
        return known == null ? state : known;
    }
}
