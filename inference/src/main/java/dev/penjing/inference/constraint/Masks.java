package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Which tokens may come next in one grammar, remembered by state. Thread-safe.
///
/// What a token may do inside of the rule in which it begins does not depend on who called the rule.
/// So a mask is put together from two parts: the tokens that stay inside, found once a rule's state,
/// and those that leave it, which go on in the caller. Most of a vocabulary is of the first kind
/// (inside of a string: all tokens without a quotation mark).
final class Masks {
    /// Bytes of masks to remember.
    private static final int MEMORY = 4 << 20;

    private final TokenTrie trie;
    private final Automaton automaton;
    private final int[] ends;
    private final int words;
    private final Map<State, long[]> masks;
    private final Map<Stack, Inside> insides;

    /// What tokens do inside of a rule.
    ///
    /// @param bits those that stay, or end with it
    /// @param exits nodes of the tree at which the rule may be left, with tokens below
    private record Inside(long[] bits, int[] exits) {}

    /// @param ends the tokens that end an answer
    /// @param words of a mask
    Masks(TokenTrie trie, Grammar grammar, int[] ends, int words) {
        this.trie = trie;
        this.automaton = new Automaton(grammar);
        this.ends = ends;
        this.words = words;
        int most = Math.max(64, MEMORY / (8 * words));
        masks = new Recent<>(most);
        insides = new Recent<>(most);
    }

    /// A map that forgets what was not asked for the longest.
    static final class Recent<K, V> extends LinkedHashMap<K, V> {
        private static final long serialVersionUID = 1L;
        private final int most;

        Recent(int most) {
            super(16, 0.75f, true);
            this.most = most;
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > most;
        }
    }

    synchronized State start() {
        return automaton.start();
    }

    /// The state after a token; `DEAD` if it may not come.
    synchronized State step(State state, int id) {
        byte[] octets = trie.bytes(id);
        return octets.length == 0 ? State.DEAD : automaton.step(state, octets);
    }

    /// Bits of the tokens that may come next. Not to be changed.
    synchronized long[] mask(State state) {
        State key = automaton.clamped(state, trie.longest());
        long[] known = masks.get(key);
        if (known == null) {
            known = make(key);
            masks.put(key, known);
        }
        return known;
    }

    private long[] make(State state) {
        long[] bits = new long[words];
        Map<Stack, List<Stack>> callers = new LinkedHashMap<>();
        for (Stack way : state.ways) {
            if (way != Stack.EMPTY) {
                callers.computeIfAbsent(way.local(), _ -> new ArrayList<>()).add(way.caller());
            }
        }
        callers.forEach((local, rest) -> {
            Inside inside = inside(local);
            for (int i = 0; i < words; i++) {
                bits[i] |= inside.bits[i];
            }
            State outside = automaton.closure(rest);
            for (int exit : inside.exits) {
                trie.walk(exit, outside, automaton, bits, _ -> {});
            }
        });
        if (state.complete) {
            for (int end : ends) {
                bits[end >> 6] |= 1L << end;
            }
        }
        return bits;
    }

    private Inside inside(Stack local) {
        Inside known = insides.get(local);
        if (known == null) {
            long[] bits = new long[words];
            IntStream.Builder exits = IntStream.builder();
            State state = automaton.closure(List.of(local));
            trie.walk(TokenTrie.ROOT, state, automaton, bits, exits);
            known = new Inside(bits, exits.build().toArray());
            insides.put(local, known);
        }
        return known;
    }
}
