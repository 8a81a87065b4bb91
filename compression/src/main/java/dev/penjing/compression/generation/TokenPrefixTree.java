package dev.penjing.compression.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Texts as a tree: what some of them share at the beginning is one node.
///
/// @param inputs the texts, sorted, so that those of a node are neighbours
/// @param order `inputs[i]` is the text of index `order[i]` as they were given
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
record TokenPrefixTree(int[][] inputs, int[] order, Node root) {
    /// What the texts `first` to `last` - 1 share behind what their parents share.
    ///
    /// @param from position of the first id
    /// @param to position behind the last one
    /// @param size ids of this node and of all below
    record Node(int first, int last, int from, int to, List<Node> children, int size) {
        int length() {
            return to - from;
        }

        /// Ids below.
        int branches() {
            return size - length();
        }

        /// The same without its ids before `position`.
        Node from(int position) {
            return new Node(first, last, position, to, children, size - (position - from));
        }
    }

    /// @param texts at least one
    static TokenPrefixTree of(List<int[]> texts) {
        int[] order =
                IntStream.range(0, texts.size())
                        .boxed()
                        .sorted(Comparator.comparing(texts::get, Arrays::compare))
                        .mapToInt(Integer::intValue)
                        .toArray();
        int[][] inputs = new int[order.length][];
        for (int i = 0; i < order.length; i++) {
            inputs[i] = texts.get(order[i]);
        }
        return new TokenPrefixTree(inputs, order, node(inputs, 0, order.length, 0));
    }

    private static Node node(int[][] inputs, int first, int last, int from) {
        int to = shared(inputs[first], inputs[last - 1]);
        List<Node> children = new ArrayList<>();
        int size = to - from;
        int at = first;
        while (at < last && inputs[at].length == to) {
            at++; // texts that end here stand first
        }
        while (at < last) {
            int end = at + 1;
            while (end < last && inputs[end][to] == inputs[at][to]) {
                end++;
            }
            Node child = node(inputs, at, end, to);
            children.add(child);
            size += child.size();
            at = end;
        }
        return new Node(first, last, from, to, children, size);
    }

    /// How many ids two texts share at the beginning.
    static int shared(int[] a, int[] b) {
        int different = Arrays.mismatch(a, b);
        return different < 0 ? a.length : different;
    }

    /// The id at a position of a node.
    int id(Node node, int position) {
        return inputs[node.first()][position];
    }
}
