package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// Which tokens may come next in one grammar, remembered by state (token masks of guided decoding).
/// Thread-safe.
///
/// What a token may do inside of the rule in which it begins does not depend on who called the
/// rule. So a mask is put together from two parts: the tokens that stay inside, found once a rule's
/// state, and those that leave it, which go on in the caller. Most of a vocabulary is of the first
/// kind (inside of a string: all tokens without a quotation mark).
///
/// Short tokens and long ones have masks of their own. In a string of bounded length, the room that
/// is left decides about a token only if the token is longer than that room. So nearly all states
/// share one mask of the short tokens, which are nearly all tokens.
///
/// No lock is held while a mask is found: two threads that need the same one both find it.
final class Masks {
    /// Bytes of masks to remember.
    private static final int MEMORY = 1 << 20;

    /// Tokens, and what is known of them.
    private record Part(
            TokenTrie trie, Map<State, long[]> masks, Map<ParserStack, Inside> insides) {}

    private final List<Part> parts;
    private final int longest;
    private final Automaton automaton;
    private final int[] ends;
    private final int words;
    private final long mostWork;
    private final Map<State, long[]> masks;
    private final Names names;

    /// Tokens with a quotation mark, where names are looked at.
    private final int[] quoting;

    /// What tokens do inside of a rule.
    ///
    /// @param bits those that stay, or end with it
    /// @param exits nodes of the tree at which the rule may be left, with tokens below
    private record Inside(long[] bits, int[] exits) {}

    /// @param tries that hold the vocabulary among them
    /// @param ends the tokens that end an answer
    /// @param words of a mask
    /// @param most [Work] that a mask may cost
    Masks(List<TokenTrie> tries, Grammar grammar, int[] ends, int words, long most) {
        this.mostWork = most;
        this.automaton = new Automaton(grammar);
        this.ends = ends;
        this.words = words;
        int kept = Math.max(64, MEMORY / (8 * words));
        masks = recent(kept);
        parts = tries.stream().map(t -> new Part(t, recent(kept), recent(kept))).toList();
        longest = tries.stream().mapToInt(TokenTrie::longest).max().orElse(0);
        names = grammar.open() ? Names.START : Names.NONE;
        quoting =
                IntStream.range(0, grammar.open() ? words * 64 : 0).filter(this::quotes).toArray();
    }

    private boolean quotes(int id) {
        byte[] octets = bytes(id);
        return IntStream.range(0, octets.length).anyMatch(i -> octets[i] == '"');
    }

    /// Before the first token.
    Names names() {
        return names;
    }

    int[] quoting() {
        return quoting;
    }

    /// The bytes of a token; none if it may never come.
    byte[] bytes(int id) {
        for (Part part : parts) {
            byte[] octets = part.trie.bytes(id);
            if (octets.length > 0) {
                return octets;
            }
        }
        return new byte[0];
    }

    private static <K, V> Map<K, V> recent(int most) {
        return Collections.synchronizedMap(new Recent<>(most));
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

    /// What a mask may cost.
    Work work() {
        return Work.of(mostWork);
    }

    State start() {
        return automaton.start();
    }

    /// The state after a token; `DEAD` if it may not come.
    ///
    /// @throws Work.TooMuch if it takes more than allowed
    State step(State state, int id, Work work) {
        byte[] octets = bytes(id);
        return octets.length > 0 ? automaton.step(state, octets, work) : State.DEAD;
    }

    /// Bits of the tokens that may come next, if they are known. Not to be changed.
    Optional<long[]> known(State state) {
        return Optional.ofNullable(masks.get(automaton.clamped(state, longest)));
    }

    /// Bits of the tokens that may come next. Not to be changed.
    ///
    /// @throws Work.TooMuch if it takes more than allowed
    long[] mask(State state, Work work) {
        State key = automaton.clamped(state, longest);
        long[] known = masks.get(key);
        if (known == null) {
            known = make(key, work);
            masks.put(key, known);
        }
        return known;
    }

    private long[] make(State state, Work work) {
        long[] bits = new long[words];
        for (Part part : parts) {
            State key = automaton.clamped(state, part.trie.longest());
            long[] known = part.masks.get(key);
            if (known == null) {
                known = make(part, key, work);
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

    private long[] make(Part part, State state, Work work) {
        long[] bits = new long[words];
        Map<ParserStack, List<ParserStack>> callers = new LinkedHashMap<>();
        for (ParserStack way : state.ways) {
            if (way != ParserStack.EMPTY) {
                callers.computeIfAbsent(way.local(), _ -> new ArrayList<>()).add(way.caller());
            }
        }
        callers.forEach((local, rest) -> {
            Inside inside = inside(part, local, work);
            add(inside.bits, bits);
            State outside = automaton.closure(rest, work);
            for (int exit : inside.exits) {
                part.trie.walk(exit, outside, automaton, bits, work, _ -> {});
            }
        });
        return bits;
    }

    private Inside inside(Part part, ParserStack local, Work work) {
        Inside known = part.insides.get(local);
        if (known == null) {
            long[] bits = new long[words];
            IntStream.Builder exits = IntStream.builder();
            State state = automaton.closure(List.of(local), work);
            part.trie.walk(TokenTrie.ROOT, state, automaton, bits, work, exits);
            known = new Inside(bits, exits.build().toArray());
            part.insides.put(local, known);
        }
        return known;
    }
}
