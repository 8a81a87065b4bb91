package dev.penjing.model.tokenizer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The token ids of pieces of text that were seen lately; words of a language recur. Thread-safe.
///
/// It has two generations: a piece that is met goes to the young one; when that is full, it becomes
/// the old one, and the old one is forgotten. So what recurs stays, what does not leaves, and a
/// look-up of a frequent piece takes no lock.
final class PieceCache {
    private record Generations(Map<String, int[]> young, Map<String, int[]> old) {}

    private final int half;
    private final Object turning = new Object();
    private volatile Generations generations = new Generations(new ConcurrentHashMap<>(), Map.of());

    /// @param most pieces that are remembered, but for a few more where threads meet
    PieceCache(int most) {
        this.half = Math.max(1, most / 2);
    }

    /// @param merge computes the ids of a piece that is not remembered
    /// @return ids that must not be changed
    int[] get(String piece, Function<String, int[]> merge) {
        Generations now = generations;
        int[] ids = now.young().get(piece);
        if (ids != null) {
            return ids;
        }
        ids = now.old().get(piece);
        if (ids == null) {
            ids = merge.apply(piece);
        }
        now.young().put(piece, ids);
        if (now.young().size() >= half) {
            synchronized (turning) {
                if (generations == now) {
                    generations = new Generations(new ConcurrentHashMap<>(), now.young());
                }
            }
        }
        return ids;
    }

    int size() {
        Generations now = generations;
        return now.young().size() + now.old().size();
    }
}
