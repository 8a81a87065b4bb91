package dev.penjing.inference.constraint;

import dev.penjing.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/// A vocabulary's tokens by their bytes, as a prefix tree in preorder. Immutable. Special tokens,
/// and those of no bytes, are not in it.
final class TokenTrie {
    /// The root.
    static final int ROOT = 0;

    private final byte[][] bytes;

    /// Of each node: its byte, its depth, the node behind its subtree, its first token in `tokens`
    /// (the next node's first is its end).
    private final byte[] octets;

    private final int[] depths;
    private final int[] ends;
    private final int[] first;
    private final int[] tokens;
    private final int longest;

    /// @param excluded ids to leave out besides
    TokenTrie(Tokenizer tokenizer, IntPredicate excluded) {
        bytes = new byte[tokenizer.vocabularySize()][];
        List<Integer> ids = new ArrayList<>();
        int size = 1;
        int most = 0;
        for (int id = 0; id < bytes.length; id++) {
            boolean none = excluded.test(id) || tokenizer.isSpecial(id);
            bytes[id] = none ? new byte[0] : tokenizer.bytes(id);
            if (bytes[id].length > 0) {
                ids.add(id);
            }
            size += bytes[id].length;
            most = Math.max(most, bytes[id].length);
        }
        longest = most;
        ids.sort((x, y) -> Arrays.compareUnsigned(bytes[x], bytes[y]));
        tokens = ids.stream().mapToInt(Integer::intValue).toArray();
        byte[] octetsMade = new byte[size];
        int[] depthsMade = new int[size];
        int[] endsMade = new int[size];
        int[] firstMade = new int[size + 1];
        int[] path = new int[longest + 1];
        int nodes = 1;
        byte[] before = new byte[0];
        for (int t = 0; t < tokens.length; t++) {
            byte[] now = bytes[tokens[t]];
            int common = Arrays.mismatch(before, now);
            common = common < 0 ? now.length : common;
            for (int depth = before.length; depth > common; depth--) {
                endsMade[path[depth]] = nodes;
            }
            for (int depth = common + 1; depth <= now.length; depth++) {
                octetsMade[nodes] = now[depth - 1];
                depthsMade[nodes] = depth;
                firstMade[nodes] = t;
                path[depth] = nodes++;
            }
            before = now;
        }
        for (int depth = before.length; depth >= 0; depth--) {
            endsMade[path[depth]] = nodes;
        }
        firstMade[nodes] = tokens.length;
        octets = Arrays.copyOf(octetsMade, nodes);
        depths = Arrays.copyOf(depthsMade, nodes);
        ends = Arrays.copyOf(endsMade, nodes);
        first = Arrays.copyOf(firstMade, nodes + 1);
    }

    /// The bytes of a token; none if it is not in the tree.
    byte[] bytes(int id) {
        return id >= 0 && id < bytes.length ? bytes[id] : new byte[0];
    }

    /// The bytes of the longest token.
    int longest() {
        return longest;
    }

    int nodes() {
        return octets.length;
    }

    /// Sets the bits of the tokens below a node that an automaton can read.
    ///
    /// @param state at the node
    /// @param completed is told of the nodes below, with more below them, at which it is complete
    void walk(
            int node,
            State state,
            Automaton automaton,
            long[] bits,
            Work work,
            IntConsumer completed) {
        State[] path = new State[longest + 1];
        path[depths[node]] = state;
        int end = ends[node];
        int at = node + 1;
        while (at < end) {
            int depth = depths[at];
            work.add(1);
            State next = automaton.step(path[depth - 1], octets[at] & 0xff, work);
            if (next == State.DEAD) {
                at = ends[at];
                continue;
            }
            path[depth] = next;
            for (int t = first[at]; t < first[at + 1]; t++) {
                bits[tokens[t] >> 6] |= 1L << tokens[t];
            }
            if (next.complete && ends[at] > at + 1) {
                completed.accept(at);
            }
            at++;
        }
    }
}
