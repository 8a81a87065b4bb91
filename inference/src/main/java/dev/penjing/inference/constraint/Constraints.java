package dev.penjing.inference.constraint;

import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What an engine keeps for constrained answers: its vocabulary as a tree, made when first needed,
/// and the masks of the constraints that came last. Thread-safe.
public final class Constraints {
    private static final int MOST_KEPT = 8;

    /// Bytes of a token that is not long.
    private static final int SHORT = 12;

    private final Tokenizer tokenizer;
    private final Set<Integer> ends;
    private final int vocabulary;
    private final long mostWork;
    private final Map<Constraint, Masks> masks = new Masks.Recent<>(MOST_KEPT);
    private List<TokenTrie> tries = List.of();

    /// @param ends tokens that end an answer
    /// @param vocabulary of the model, not smaller than the tokenizer's
    public Constraints(Tokenizer tokenizer, Collection<Integer> ends, int vocabulary) {
        this(tokenizer, ends, vocabulary, Work.MASK);
    }

    /// @param mostWork that a mask may cost
    Constraints(Tokenizer tokenizer, Collection<Integer> ends, int vocabulary, long mostWork) {
        this.mostWork = mostWork;
        this.tokenizer = tokenizer;
        this.ends = new HashSet<>(ends);
        this.ends.removeIf(id -> id < 0 || id >= vocabulary);
        this.vocabulary = vocabulary;
    }

    /// Begins an answer, and finds its first mask. The first time that a tokenizer or a constraint
    /// is met, this takes a while.
    ///
    /// @throws dev.penjing.model.UsageException if the constraint can be read in too many ways
    public Matcher begin(Constraint constraint) {
        Masks found = masks(constraint);
        Matcher matcher = new Matcher(found, found.start(), ends);
        matcher.mask();
        return matcher;
    }

    Masks masks(Constraint constraint) {
        List<TokenTrie> parts = tries();
        synchronized (masks) {
            Masks known = masks.get(constraint);
            if (known == null) {
                int[] ids = ends.stream().mapToInt(Integer::intValue).sorted().toArray();
                int words = Math.ceilDiv(vocabulary, 64);
                known = new Masks(parts, constraint.grammar(), ids, words, mostWork);
                masks.put(constraint, known);
            }
            return known;
        }
    }

    private synchronized List<TokenTrie> tries() {
        if (tries.isEmpty()) {
            tries =
                    List.of(
                            new TokenTrie(tokenizer, id -> ends.contains(id) || isLong(id)),
                            new TokenTrie(tokenizer, id -> ends.contains(id) || !isLong(id)));
        }
        return tries;
    }

    private boolean isLong(int id) {
        return tokenizer.bytes(id).length > SHORT;
    }
}
