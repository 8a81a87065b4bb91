package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;

/// Rules as a network of nodes: a pushdown automaton on bytes. Immutable once built.
final class Grammar {
    /// Ends a rule.
    static final int RETURN = 0;

    /// Leads nowhere.
    static final int FAIL = 1;

    private static final int MOST_NODES = 300_000;

    sealed interface Node {}

    record Read(ByteSet set, int next) implements Node {}

    record Split(int[] next) implements Node {}

    /// Goes through a rule, then on with `next`.
    record Call(int rule, int next) implements Node {}

    /// Goes through `body` from `min` to `max` times, then on with `next`. The body is not empty.
    record Loop(int min, int max, int body, int next) implements Node {}

    record Return() implements Node {}

    private final Node[] nodes;
    private final int[] entries;
    private final BitSet productive;

    /// Whether objects may have members that are not declared.
    private final boolean open;

    private Grammar(Node[] nodes, int[] entries, boolean open) {
        this.open = open;
        this.nodes = nodes;
        this.entries = entries;
        this.productive = productive();
    }

    boolean open() {
        return open;
    }

    Node node(int at) {
        return nodes[at];
    }

    /// Where a rule begins. The first rule is the whole answer.
    int entry(int rule) {
        return entries[rule];
    }

    /// Whether some text is a whole answer.
    boolean fits() {
        return productive(entries[0]);
    }

    /// Whether some text leads from a node to the end of its rule.
    boolean productive(int at) {
        return productive.get(at);
    }

    private BitSet productive() {
        List<List<Integer>> users = new ArrayList<>();
        for (int i = 0; i < nodes.length; i++) {
            users.add(new ArrayList<>());
        }
        for (int i = 0; i < nodes.length; i++) {
            switch (nodes[i]) {
                case Read r -> users.get(r.next).add(i);
                case Split s -> {
                    for (int next : s.next) {
                        users.get(next).add(i);
                    }
                }
                case Call c -> {
                    users.get(c.next).add(i);
                    users.get(entries[c.rule]).add(i);
                }
                case Loop l -> {
                    users.get(l.next).add(i);
                    users.get(l.body).add(i);
                }
                case Return _ -> {}
            }
        }
        BitSet found = new BitSet();
        ArrayDeque<Integer> todo = new ArrayDeque<>(List.of(RETURN));
        found.set(RETURN);
        while (!todo.isEmpty()) {
            for (int user : users.get(todo.remove())) {
                boolean leads =
                        switch (nodes[user]) {
                            case Read r -> !r.set.isEmpty() && found.get(r.next);
                            case Split s -> Arrays.stream(s.next).anyMatch(found::get);
                            case Call c -> found.get(c.next) && found.get(entries[c.rule]);
                            case Loop l -> found.get(l.next) && (l.min == 0 || found.get(l.body));
                            case Return _ -> true;
                        };
                if (leads && !found.get(user)) {
                    found.set(user);
                    todo.add(user);
                }
            }
        }
        return found;
    }

    /// Makes a grammar.
    static final class Builder {
        private final List<Node> nodes =
                new ArrayList<>(List.of(new Return(), new Split(new int[0])));
        private final List<Integer> entries = new ArrayList<>();
        private final List<String> names = new ArrayList<>();
        private final String source;
        private boolean open;

        /// @param source what it is made of, for an error
        Builder(String source) {
            this.source = source;
        }

        /// A rule without a body yet.
        ///
        /// @param name to say where it is
        int rule(String name) {
            entries.add(FAIL);
            names.add(name);
            return entries.size() - 1;
        }

        /// Says that objects may have members that are not declared.
        void open() {
            open = true;
        }

        void define(int rule, int entry) {
            entries.set(rule, entry);
        }

        String name(int rule) {
            return names.get(rule);
        }

        private int add(Node node) {
            if (nodes.size() >= MOST_NODES) {
                throw new UsageException(
                        "%s is too large (more than %,d steps): make it smaller"
                                .formatted(source, MOST_NODES));
            }
            nodes.add(node);
            return nodes.size() - 1;
        }

        /// A node that `lead` is to give its way.
        int reserve() {
            return add(new Split(new int[0]));
        }

        void lead(int reserved, int... next) {
            nodes.set(reserved, new Split(next));
        }

        int split(int... next) {
            return next.length == 1 ? next[0] : add(new Split(next));
        }

        /// The node from which an expression leads to `next`.
        int emit(Expr expr, int next) {
            return switch (expr) {
                case Expr.Bytes b -> add(new Read(b.set(), next));
                case Expr.Then t -> {
                    int at = next;
                    for (int i = t.parts().size() - 1; i >= 0; i--) {
                        at = emit(t.parts().get(i), at);
                    }
                    yield at;
                }
                case Expr.Or o ->
                        split(
                                o.options().stream()
                                        .mapToInt(e -> emit(e, next))
                                        .distinct()
                                        .toArray());
                case Expr.Call c -> add(new Call(c.rule(), next));
                case Expr.Repeat r -> repeat(r, next);
            };
        }

        private int repeat(Expr.Repeat r, int next) {
            int min = r.body().nullable() ? 0 : r.min();
            Expr body = r.body().nullable() ? r.body().nonEmpty() : r.body();
            if (r.max() < min) {
                return FAIL;
            }
            if (r.max() == 0) {
                return next;
            }
            if (r.max() == 1) {
                int once = emit(body, next);
                return min == 1 ? once : split(once, next);
            }
            if (r.max() == Expr.UNBOUNDED && min <= 1) {
                int loop = reserve();
                int again = emit(body, loop);
                lead(loop, again, next);
                return min == 1 ? again : loop;
            }
            return add(new Loop(min, r.max(), emit(body, RETURN), next));
        }

        /// The node from which one of some texts leads to the end of the rule.
        int emitTexts(Collection<String> texts) {
            List<int[]> words = new ArrayList<>();
            for (String text : texts) {
                byte[] octets = text.getBytes(StandardCharsets.UTF_8);
                int[] word = new int[octets.length];
                Arrays.setAll(word, i -> octets[i] & 0xff);
                words.add(word);
            }
            words.sort(Arrays::compare);
            StringSet tree = new StringSet(words);
            int[] made = new int[tree.size()];
            for (int at = made.length - 1; at >= 0; at--) {
                List<Integer> ways = new ArrayList<>();
                for (int child : tree.children(at)) {
                    int octet = tree.symbol(child);
                    ways.add(emit(Expr.range(octet, octet), made[child]));
                }
                if (tree.end(at)) {
                    ways.add(RETURN);
                }
                made[at] = split(ways.stream().mapToInt(Integer::intValue).toArray());
            }
            return made[0];
        }

        /// @throws UsageException if a rule calls itself before it reads anything
        Grammar build() {
            refuseLeftRecursion();
            return new Grammar(
                    nodes.toArray(new Node[0]),
                    entries.stream().mapToInt(Integer::intValue).toArray(),
                    open);
        }

        private void refuseLeftRecursion() {
            List<int[]> calls = new ArrayList<>();
            int[] callers = new int[entries.size()];
            for (int rule = 0; rule < entries.size(); rule++) {
                int[] first = firstCalls(entries.get(rule));
                calls.add(first);
                for (int called : first) {
                    callers[called]++;
                }
            }
            ArrayDeque<Integer> free = new ArrayDeque<>();
            for (int rule = 0; rule < callers.length; rule++) {
                if (callers[rule] == 0) {
                    free.add(rule);
                }
            }
            while (!free.isEmpty()) {
                for (int called : calls.get(free.remove())) {
                    if (--callers[called] == 0) {
                        free.add(called);
                    }
                }
            }
            for (int rule = 0; rule < callers.length; rule++) {
                if (callers[rule] > 0) {
                    throw new UsageException(
                            "the JSON Schema at %s refers to itself in a circle with no value between: take a $ref out"
                                    .formatted(names.get(rule)));
                }
            }
        }

        /// The rules that may be called from a node before a byte is read.
        private int[] firstCalls(int from) {
            BitSet seen = new BitSet();
            BitSet called = new BitSet();
            ArrayDeque<Integer> todo = new ArrayDeque<>(List.of(from));
            while (!todo.isEmpty()) {
                int at = todo.remove();
                if (seen.get(at)) {
                    continue;
                }
                seen.set(at);
                switch (nodes.get(at)) {
                    case Split s -> Arrays.stream(s.next).forEach(todo::add);
                    case Call c -> called.set(c.rule);
                    case Loop l -> {
                        todo.add(l.body);
                        if (l.min == 0) {
                            todo.add(l.next);
                        }
                    }
                    case Read _, Return _ -> {}
                }
            }
            return called.stream().toArray();
        }
    }
}
