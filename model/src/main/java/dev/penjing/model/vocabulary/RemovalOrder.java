package dev.penjing.model.vocabulary;

import dev.penjing.model.UsageException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/// In which order a vocabulary of byte-pair encoding can lose its tokens, one after another.
///
/// A token can go when no merge makes a kept token of it. So every merge of a kept token keeps its
/// parts, and a text whose tokens are all kept comes to the same tokens as before: each merge on
/// the way to them is still there, and no other has come. Of the tokens that can go, the one that a
/// text needs least goes first. Where it stood, its parts will stand, which are needed more by as
/// much.
public final class RemovalOrder {
    /// @param present which ids have a token; the others are padding and go first
    /// @param fixed which of them must stay
    /// @param left by rank, the ids that each merge takes
    /// @param right by rank
    /// @param result by rank, the id that each merge makes
    record Tokens(boolean[] present, boolean[] fixed, int[] left, int[] right, int[] result) {
        int size() {
            return present.length;
        }
    }

    /// What no kept token is made of.
    private record Leaf(long count, int rank, int id) {}

    private final Tokens tokens;
    private final long[] counts;
    private final int[] users;

    /// The merge of lowest rank that makes a token, and behind each merge the next that makes the
    /// same; -1 for none.
    private final int[] first;

    private final int[] next;

    private final PriorityQueue<Leaf> leaves =
            new PriorityQueue<>(
                    Comparator.comparingLong(Leaf::count)
                            .thenComparing(Comparator.comparingInt(Leaf::rank).reversed())
                            .thenComparing(Comparator.comparingInt(Leaf::id).reversed()));

    private final int[] order;
    private int removed;
    private int unused = -1;

    /// @param counts how often a text has each token
    RemovalOrder(Tokens tokens, long[] counts) {
        this.tokens = tokens;
        this.counts = Arrays.copyOf(counts, tokens.size());
        this.users = new int[tokens.size()];
        this.first = new int[tokens.size()];
        this.next = new int[tokens.result().length];
        this.order = new int[tokens.size()];
        Arrays.fill(first, -1);
        for (int merge = next.length - 1; merge >= 0; merge--) {
            users[tokens.left()[merge]]++;
            users[tokens.right()[merge]]++;
            next[merge] = first[tokens.result()[merge]];
            first[tokens.result()[merge]] = merge;
        }
        for (int id = 0; id < tokens.size(); id++) {
            offer(id);
        }
        for (Leaf leaf = leaves.poll(); leaf != null; leaf = leaves.poll()) {
            if (leaf.count() > 0 && unused < 0) {
                unused = removed;
            }
            remove(leaf.id());
        }
        unused = unused < 0 ? removed : unused;
    }

    private void offer(int id) {
        if (users[id] == 0 && !tokens.fixed()[id]) {
            leaves.add(new Leaf(tokens.present()[id] ? counts[id] : -1, first[id], id));
        }
    }

    private void remove(int id) {
        order[removed++] = id;
        if (first[id] >= 0) {
            counts[tokens.left()[first[id]]] += counts[id];
            counts[tokens.right()[first[id]]] += counts[id];
        }
        for (int merge = first[id]; merge >= 0; merge = next[merge]) {
            for (int part : new int[] {tokens.left()[merge], tokens.right()[merge]}) {
                if (--users[part] == 0) {
                    offer(part);
                }
            }
        }
    }

    /// All ids.
    public int size() {
        return tokens.size();
    }

    /// Tokens that must stay.
    public int least() {
        return size() - removed;
    }

    /// Tokens that the text has, that these are made of, and that must stay.
    public int needed() {
        return size() - unused;
    }

    /// The ids to keep, ascending.
    ///
    /// @throws UsageException if there are fewer tokens, or more must stay
    public int[] kept(int count) {
        if (count < least() || count > size()) {
            throw new UsageException(
                    "`vocabSize` %d is too %s: this vocabulary has %d tokens, and can be cut to %d, its special tokens and bytes"
                            .formatted(
                                    count, count < least() ? "small" : "large", size(), least()));
        }
        boolean[] gone = new boolean[size()];
        for (int i = 0; i < size() - count; i++) {
            gone[order[i]] = true;
        }
        return IntStream.range(0, size()).filter(id -> !gone[id]).toArray();
    }
}
