package dev.penjing.inference.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The texts that all of some automata read and none of others does, as nodes of a grammar (product
/// of automata). What takes more states than [#MOST_STATES] is cut: the longest texts are left out,
/// none is let in.
final class Product {
    private static final int MOST_STATES = 2000;

    private final Grammar.Builder into;
    private final List<Automaton> parts;

    /// How many of the parts must read the text; those behind must not.
    private final int wanted;

    private final int next;
    private final Map<List<State>, Integer> nodes = new HashMap<>();
    private final ArrayDeque<List<State>> todo = new ArrayDeque<>();
    private boolean cut;
    private boolean fits;

    private Product(Grammar.Builder into, List<Automaton> all, List<Automaton> none, int next) {
        this.into = into;
        this.parts = new ArrayList<>(all);
        this.parts.addAll(none);
        this.wanted = all.size();
        this.next = next;
    }

    /// @param entry where the texts begin; `FAIL` if there are none
    /// @param cut whether some were left out
    record Result(int entry, boolean cut) {
        boolean fits() {
            return entry != Grammar.FAIL;
        }
    }

    /// Leads from [Result#entry] through the texts to `next`.
    static Result emit(Grammar.Builder into, List<Automaton> all, List<Automaton> none, int next) {
        return new Product(into, all, none, next).run();
    }

    /// As above, of expressions that call no rules.
    static Result emit(Grammar.Builder into, List<Expr> all, int next) {
        return emit(into, all.stream().map(Product::automaton).toList(), List.of(), next);
    }

    /// @param expr calls no rules
    static Automaton automaton(Expr expr) {
        Grammar.Builder builder = new Grammar.Builder("the JSON Schema");
        builder.define(builder.rule("#"), builder.emit(expr, Grammar.RETURN));
        return new Automaton(builder.build());
    }

    private Result run() {
        int entry = node(parts.stream().map(Automaton::start).toList());
        while (!todo.isEmpty()) {
            List<State> at = todo.remove();
            List<Integer> ways = new ArrayList<>();
            targets(at)
                    .forEach((target, octets) -> {
                        int node = node(target);
                        if (node != Grammar.FAIL) {
                            ways.add(into.emit(new Expr.Bytes(octets), node));
                        }
                    });
            if (complete(at)) {
                fits = true;
                ways.add(next);
            }
            into.lead(
                    nodes.getOrDefault(at, Grammar.FAIL),
                    ways.stream().mapToInt(Integer::intValue).toArray());
        }
        return new Result(fits ? entry : Grammar.FAIL, cut);
    }

    private int node(List<State> states) {
        Integer known = nodes.get(states);
        if (known != null) {
            return known;
        }
        if (nodes.size() >= MOST_STATES) {
            cut = true;
            return Grammar.FAIL;
        }
        int node = into.reserve();
        nodes.put(states, node);
        todo.add(states);
        return node;
    }

    private Map<List<State>, ByteSet> targets(List<State> at) {
        Map<List<BitSet>, List<State>> known = new HashMap<>();
        Map<List<State>, ByteSet> targets = new LinkedHashMap<>();
        for (int octet = 0; octet < 256; octet++) {
            List<BitSet> readers = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
                readers.add(parts.get(i).readers(at.get(i), octet));
            }
            // bytes that the same ways read lead to the same states
            List<State> target = known.get(readers);
            if (target == null) {
                target = step(at, octet);
                known.put(readers, target);
            }
            if (!target.subList(0, wanted).contains(State.DEAD)) {
                targets.merge(target, ByteSet.range(octet, octet), ByteSet::or);
            }
        }
        return targets;
    }

    private List<State> step(List<State> at, int octet) {
        List<State> target = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            State state = at.get(i);
            target.add(
                    state == State.DEAD
                            ? state
                            : parts.get(i).step(state, octet, Work.unlimited()));
        }
        return target;
    }

    private boolean complete(List<State> at) {
        return at.subList(0, wanted).stream().allMatch(s -> s.complete)
                && at.subList(wanted, at.size()).stream().noneMatch(s -> s.complete);
    }
}
