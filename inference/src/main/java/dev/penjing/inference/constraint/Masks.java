package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Which tokens may come next in one grammar, remembered by state. Thread-safe.
///
/// What a token may do inside of the rule in which it begins does not depend on who called the
/// rule. So a mask is put together from two parts: the tokens that stay inside, found once a rule's
/// state, and those that leave it, which go on in the caller. Most of a vocabulary is of the first
/// kind (inside of a string: all tokens without a quotation mark).
///
/// Short tokens and long ones are looked at apart. How much room is left in a string of bounded
/// length matters to a token only if it is that long: so short tokens, which are nearly all, have
/// few masks.
final class Masks {
    /// Bytes of masks to remember.
    private static final int MEMORY = 1 << 20;

    /// Tokens, and what is known of them.
    private record Part(TokenTrie trie, Map<State, long[]> masks, Map<Stack, Inside> insides) {}

    private final List<Part> parts;
    private final int longest;
    private final Automaton automaton;
    private final int[] ends;
    private final int words;
    private final Map<State, long[]> masks;

    /// What tokens do inside of a rule.
    ///
    /// @param bits those that stay, or end with it
    /// @param exits nodes of the tree at which the rule may be left, with tokens below
    private record Inside(long[] bits, int[] exits) {}

    /// @param tries that hold the vocabulary among them
    /// @param ends the tokens that end an answer
    /// @param words of a mask
    Masks(List<TokenTrie> tries, Grammar grammar, int[] ends, int words) {
        this.automaton = new Automaton(grammar);
        this.ends = ends;
        this.words = words;
        int most = Math.max(64, MEMORY / (8 * words));
        masks = new Recent<>(most);
        parts =
                tries.stream()
                        .map(t -> new Part(t, new Recent<>(most), new Recent<>(most)))
                        .toList();
        longest = tries.stream().mapToInt(TokenTrie::longest).max().orElse(0);
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
        for (Part part : parts) {
            byte[] octets = part.trie.bytes(id);
            if (octets.length > 0) {
                return automaton.step(state, octets);
            }
        }
        return State.DEAD;
    }

    /// Bits of the tokens that may come next. Not to be changed.
    synchronized long[] mask(State state) {
        State key = automaton.clamped(state, longest);
        long[] known = masks.get(key);
        if (known == null) {
            known = make(key);
            masks.put(key, known);
        }
        return known;
    }

    private long[] make(State state) {
        long[] bits = new long[words];
        for (Part part : parts) {
            State key = automaton.clamped(state, part.trie.longest());
            long[] known = part.masks.get(key);
            if (known == null) {
                known = make(part, key);
                part.masks.put(key, known);
            }
            add(known, bits);
        }
        if (state.complete) {
            for (int end : ends) {
                bits[end >> 6] |= 1L << end;
            }
        }
        return bits;
    }

    private static void add(long[] more, long[] bits) {
        for (int i = 0; i < bits.length; i++) {
            bits[i] |= more[i];
        }
    }

    private long[] make(Part part, State state) {
        long[] bits = new long[words];
        Map<Stack, List<Stack>> callers = new LinkedHashMap<>();
        for (Stack way : state.ways) {
            if (way != Stack.EMPTY) {
                callers.computeIfAbsent(way.local(), _ -> new ArrayList<>()).add(way.caller());
            }
        }
        callers.forEach((local, rest) -> {
            Inside inside = inside(part, local);
            add(inside.bits, bits);
            State outside = automaton.closure(rest);
            for (int exit : inside.exits) {
                part.trie.walk(exit, outside, automaton, bits, _ -> {});
            }
        });
        return bits;
    }

    private Inside inside(Part part, Stack local) {
        Inside known = part.insides.get(local);
        if (known == null) {
            long[] bits = new long[words];
            IntStream.Builder exits = IntStream.builder();
            State state = automaton.closure(List.of(local));
            part.trie.walk(TokenTrie.ROOT, state, automaton, bits, exits);
            known = new Inside(bits, exits.build().toArray());
            part.insides.put(local, known);
        }
        return known;
    }
}
