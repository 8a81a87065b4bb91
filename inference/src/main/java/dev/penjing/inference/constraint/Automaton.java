package dev.penjing.inference.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Runs a grammar on bytes. Remembers the states that it has met, and so becomes a table.
/// Thread-safe, without a lock: two threads may find the same thing at once, and find it equal.
final class Automaton {
    /// Ways that a state keeps, and those of them that are at the same node. An ambiguous grammar
    /// may have more (each level of some recursive ones doubles them); then those are left out that
    /// sort last, and what only they would have allowed is not allowed.
    private static final int MOST_WAYS = 1024;

    private static final int MOST_ALIKE = 64;

    private static final int MOST_STEPS = 50_000;
    private static final int MOST_STATES = 8192;

    private final Grammar grammar;
    private final Map<State, State> states = new ConcurrentHashMap<>();

    Automaton(Grammar grammar) {
        this.grammar = grammar;
    }

    State start() {
        return closure(List.of(ParserStack.EMPTY.push(grammar.entry(0), 0)), Work.unlimited());
    }

    /// The state after one more byte.
    State step(State state, int octet, Work work) {
        State known = state.known(octet);
        if (known != State.UNKNOWN) {
            return known;
        }
        List<ParserStack> ways = new ArrayList<>();
        for (ParserStack way : state.ways) {
            if (way != ParserStack.EMPTY
                    && grammar.node(way.node) instanceof Grammar.Read read
                    && read.set().contains(octet)) {
                ways.add(way.below.push(read.next(), 0));
            }
        }
        State next = ways.isEmpty() ? State.DEAD : closure(ways, work);
        state.learn(octet, next);
        return next;
    }

    /// Which of a state's ways, by their numbers, read a byte.
    BitSet readers(State state, int octet) {
        BitSet readers = new BitSet();
        for (int i = 0; i < state.ways.size(); i++) {
            ParserStack way = state.ways.get(i);
            if (way != ParserStack.EMPTY
                    && grammar.node(way.node) instanceof Grammar.Read read
                    && read.set().contains(octet)) {
                readers.set(i);
            }
        }
        return readers;
    }

    State step(State state, byte[] octets, Work work) {
        State at = state;
        for (int i = 0; i < octets.length && at != State.DEAD; i++) {
            at = step(at, octets[i] & 0xff, work);
        }
        return at;
    }

    /// Whether a text is a whole answer.
    boolean accepts(String text) {
        byte[] octets = text.getBytes(StandardCharsets.UTF_8);
        return step(start(), octets, Work.unlimited()).complete;
    }

    /// The state of these ways, each followed to where it reads.
    State closure(List<ParserStack> from, Work work) {
        ArrayDeque<ParserStack> todo = new ArrayDeque<>(from);
        Set<ParserStack> seen = new HashSet<>();
        List<ParserStack> ways = new ArrayList<>();
        while (!todo.isEmpty() && seen.size() < MOST_STEPS) {
            ParserStack way = todo.remove();
            if (!seen.add(way)) {
                continue;
            }
            work.add(Work.STEP);
            if (way == ParserStack.EMPTY || grammar.node(way.node) instanceof Grammar.Read) {
                ways.add(way);
            } else {
                follow(way, todo);
            }
        }
        if (!todo.isEmpty()) {
            work.cut();
        }
        ways.sort(Comparator.comparingInt(ParserStack::hashCode));
        return remember(ways.size() > MOST_ALIKE ? few(ways, work) : ways);
    }

    private List<ParserStack> few(List<ParserStack> ways, Work work) {
        Map<Integer, Integer> alike = new HashMap<>();
        List<ParserStack> kept = new ArrayList<>();
        for (ParserStack way : ways) {
            if (alike.merge(way.node, 1, Integer::sum) <= MOST_ALIKE && kept.size() < MOST_WAYS) {
                kept.add(way);
            }
        }
        if (kept.size() < ways.size()) {
            work.cut();
        }
        return kept;
    }

    private void follow(ParserStack way, ArrayDeque<ParserStack> todo) {
        ParserStack below = way.below;
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
                    ParserStack again = below.push(way.node, Math.min(way.count + 1, most));
                    add(again, loop.body(), todo);
                }
            }
            case Grammar.Return _ -> todo.add(below);
            case Grammar.Read _ -> {}
        }
    }

    private void add(ParserStack below, int node, ArrayDeque<ParserStack> todo) {
        if (grammar.productive(node)) {
            todo.add(below.push(node, 0));
        }
    }

    /// States with their counts as small as the next `bytes` bytes allow: few stand for many.
    State clamped(State state, int bytes) {
        List<ParserStack> ways = new ArrayList<>();
        boolean same = true;
        for (ParserStack way : state.ways) {
            ParserStack clamped = way.clamped(grammar, bytes);
            same &= clamped == way;
            ways.add(clamped);
        }
        if (same) {
            return state;
        }
        ways = new ArrayList<>(new HashSet<>(ways));
        ways.sort(Comparator.comparingInt(ParserStack::hashCode));
        return remember(ways);
    }

    private State remember(List<ParserStack> ways) {
        if (states.size() >= MOST_STATES) {
            states.clear();
        }
        State state = new State(List.copyOf(ways));
        State known = states.putIfAbsent(state, state);
        return known == null ? state : known;
    }
}
