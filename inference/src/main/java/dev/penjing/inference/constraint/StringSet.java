package dev.penjing.inference.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Words by their beginnings. Node 0 is the root, and children come behind their parents.
final class StringSet {
    private final List<List<Integer>> children = new ArrayList<>(List.of(new ArrayList<>()));
    private final List<Integer> symbols = new ArrayList<>(List.of(0));
    private final List<Boolean> ends = new ArrayList<>(List.of(false));

    /// @param words sorted
    StringSet(List<int[]> words) {
        List<Integer> path = new ArrayList<>(List.of(0));
        int[] before = new int[0];
        for (int[] word : words) {
            int common = Arrays.mismatch(before, word);
            common = common < 0 ? word.length : common;
            path.subList(common + 1, path.size()).clear();
            for (int i = common; i < word.length; i++) {
                int node = symbols.size();
                children.get(path.getLast()).add(node);
                children.add(new ArrayList<>());
                symbols.add(word[i]);
                ends.add(false);
                path.add(node);
            }
            ends.set(path.getLast(), true);
            before = word;
        }
    }

    int size() {
        return symbols.size();
    }

    List<Integer> children(int node) {
        return children.get(node);
    }

    int symbol(int node) {
        return symbols.get(node);
    }

    /// Whether a word ends here.
    boolean end(int node) {
        return ends.get(node);
    }
}
