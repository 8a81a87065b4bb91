package dev.penjing.model.tokenizer;

import java.util.PriorityQueue;

/// The merges of byte-pair encoding (Sennrich et al. 2016): which two neighbours become one token,
/// and which pair goes first.
final class Merges {
    /// Pieces up to this long are merged by looking for the best pair again and again, longer ones
    /// with a queue, whose cost grows with n log n.
    private static final int SHORT = 48;

    private final long[] keys;
    private final int[] ranks;
    private final int[] results;
    private final int mask;

    private Merges(int capacity) {
        keys = new long[capacity];
        ranks = new int[capacity];
        results = new int[capacity];
        mask = capacity - 1;
        java.util.Arrays.fill(keys, -1);
    }

    /// @param left ids, by rank
    /// @param right ids, by rank
    /// @param result the id that each pair becomes
    static Merges of(int[] left, int[] right, int[] result) {
        Merges merges = new Merges(Math.max(16, Integer.highestOneBit(left.length * 2) * 2));
        for (int rank = 0; rank < left.length; rank++) {
            merges.put(key(left[rank], right[rank]), rank, result[rank]);
        }
        return merges;
    }

    private static long key(int left, int right) {
        return ((long) left << 32) | right;
    }

    private int slot(long key) {
        long hash = key * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash >>> 32) & mask;
        while (keys[slot] != -1 && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void put(long key, int rank, int result) {
        int slot = slot(key);
        if (keys[slot] == -1) { // of two merges of a pair the first counts
            keys[slot] = key;
            ranks[slot] = rank;
            results[slot] = result;
        }
    }

    /// Merges `ids[0..length)` in place and returns how many are left.
    int apply(int[] ids, int length) {
        return length <= SHORT ? applyShort(ids, length) : applyLong(ids, length);
    }

    private int applyShort(int[] ids, int length) {
        int count = length;
        while (count > 1) {
            int best = Integer.MAX_VALUE;
            int at = -1;
            int merged = -1;
            for (int i = 0; i + 1 < count; i++) {
                int slot = slot(key(ids[i], ids[i + 1]));
                if (keys[slot] != -1 && ranks[slot] < best) {
                    best = ranks[slot];
                    at = i;
                    merged = results[slot];
                }
            }
            if (at < 0) {
                break;
            }
            ids[at] = merged;
            System.arraycopy(ids, at + 2, ids, at + 1, count - at - 2);
            count--;
        }
        return count;
    }

    /// A pair that could be merged: of equal ranks the leftmost goes first.
    private record Candidate(int rank, int at, int left, int right, int result)
            implements Comparable<Candidate> {
        @Override
        public int compareTo(Candidate other) {
            return rank != other.rank
                    ? Integer.compare(rank, other.rank)
                    : Integer.compare(at, other.at);
        }
    }

    private int applyLong(int[] ids, int length) {
        int[] next = new int[length];
        int[] previous = new int[length];
        PriorityQueue<Candidate> queue = new PriorityQueue<>();
        for (int i = 0; i < length; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            offer(queue, ids, i, i + 1, length);
        }
        for (Candidate c = queue.poll(); c != null; c = queue.poll()) {
            int right = next[c.at()];
            boolean stale = ids[c.at()] != c.left() || right >= length || ids[right] != c.right();
            if (stale) {
                continue;
            }
            ids[c.at()] = c.result();
            ids[right] = -1;
            next[c.at()] = next[right];
            if (next[right] < length) {
                previous[next[right]] = c.at();
            }
            offer(queue, ids, c.at(), next[c.at()], length);
            if (previous[c.at()] >= 0) {
                offer(queue, ids, previous[c.at()], c.at(), length);
            }
        }
        int count = 0;
        for (int i = 0; i < length; i = next[i]) {
            ids[count++] = ids[i];
        }
        return count;
    }

    private void offer(PriorityQueue<Candidate> queue, int[] ids, int at, int right, int length) {
        if (right >= length) {
            return;
        }
        int slot = slot(key(ids[at], ids[right]));
        if (keys[slot] != -1) {
            queue.add(new Candidate(ranks[slot], at, ids[at], ids[right], results[slot]));
        }
    }
}
