package dev.penjing.inference.scoring;

import dev.penjing.model.language.ScoredText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/// Texts to score as a prefix tree of their inputs, so that what they share at the beginning is
/// computed once. Of a text of n ids, the first n - 1 are inputs: texts that differ in the last id
/// alone are the same inputs, each scored by its own id from the same logits.
final class SharedPrefixes {
    /// A branch waits until the one before it has computed what they share. Where that is less than
    /// a block, and at most a quarter of what the branch has besides, computing it again costs less
    /// than waiting for it.
    private static final int SHARE = 4;

    private SharedPrefixes() {}

    /// Scores of one text that come from a branch's logits: at each position from `from` to `to`,
    /// the logarithm of the probability of the text's id behind it.
    record Claim(int text, int from, int to) {}

    /// Inputs that no text before it in the order has had.
    static final class Branch {
        final int[] ids;

        /// Of `ids`, those that go through the model.
        final int inputs;

        /// How many of them are also the first of the branch before it in its chain; 0 in the first
        /// one.
        final int shared;

        private final List<Claim> claims = new ArrayList<>();
        private final BitSet wanted = new BitSet();

        Branch(int[] ids, int inputs, int shared) {
            this.ids = ids;
            this.inputs = inputs;
            this.shared = shared;
        }

        private void claim(int text, int from, int to) {
            claims.add(new Claim(text, from, to));
            wanted.set(from, to);
        }

        List<Claim> claims() {
            return claims;
        }

        /// Whether anybody asks for the logits behind a position.
        boolean wanted(int position) {
            return wanted.get(position);
        }

        int firstWanted() {
            return wanted.nextSetBit(0);
        }
    }

    /// A branch along a text, from where the one before it ends to `end`.
    private record Stretch(Branch branch, int end) {}

    /// Chains of branches. A branch can begin as soon as the one before it in its chain has come to
    /// where they part; chains do not wait for one another. The claims of all branches together are
    /// each text's scored ids, once.
    ///
    /// @param block positions of a block of the key-value cache
    static List<List<Branch>> plan(List<ScoredText> texts, int block) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).from() < texts.get(i).ids().length) {
                order.add(i);
            }
        }
        order.sort(Comparator.comparing(texts::get, SharedPrefixes::compareInputs));
        List<List<Branch>> chains = new ArrayList<>();
        List<Stretch> path = new ArrayList<>();
        int[] before = new int[0];
        int inputsBefore = 0;
        for (int text : order) {
            int[] ids = texts.get(text).ids();
            int inputs = ids.length - 1;
            int shared = common(before, inputsBefore, ids, inputs);
            cut(path, shared);
            if (shared < inputs) {
                boolean again = shared < block && SHARE * shared <= inputs - shared;
                if (again) {
                    chains.add(new ArrayList<>());
                }
                Branch branch = new Branch(ids, inputs, again ? 0 : shared);
                chains.getLast().add(branch);
                path.add(new Stretch(branch, inputs));
            }
            claim(text, texts.get(text).from() - 1, inputs, path);
            before = ids;
            inputsBefore = inputs;
        }
        return chains;
    }

    private static int compareInputs(ScoredText a, ScoredText b) {
        return Arrays.compare(a.ids(), 0, a.ids().length - 1, b.ids(), 0, b.ids().length - 1);
    }

    private static int common(int[] a, int aLength, int[] b, int bLength) {
        int mismatch = Arrays.mismatch(a, 0, aLength, b, 0, bLength);
        return mismatch < 0 ? aLength : mismatch;
    }

    /// Leaves the first `length` positions of a path.
    private static void cut(List<Stretch> path, int length) {
        while (!path.isEmpty() && path.getLast().end > length) {
            Stretch last = path.removeLast();
            if (start(path, path.size()) < length) {
                path.add(new Stretch(last.branch, length));
            }
        }
    }

    private static int start(List<Stretch> path, int stretch) {
        return stretch == 0 ? 0 : path.get(stretch - 1).end;
    }

    /// Deals positions `from` to `to` of a text out to the branches along it.
    private static void claim(int text, int from, int to, List<Stretch> path) {
        int end = to;
        for (int i = path.size() - 1; i >= 0 && end > from; i--) {
            int start = start(path, i);
            path.get(i).branch.claim(text, Math.max(start, from), end);
            end = start;
        }
    }
}
