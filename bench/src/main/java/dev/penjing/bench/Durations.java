package dev.penjing.bench;

import java.util.Arrays;

/// Counts of durations, in buckets two percent wide from a microsecond on: as much memory for a
/// million as for one.
final class Durations {
    private static final double WIDTH = Math.log(1.02);
    private final long[] counts = new long[1200];
    private long all;

    void add(long nanos) {
        int bucket = nanos <= 1000 ? 0 : (int) (Math.log(nanos / 1e3) / WIDTH) + 1;
        counts[Math.min(bucket, counts.length - 1)]++;
        all++;
    }

    void clear() {
        Arrays.fill(counts, 0);
        all = 0;
    }

    /// In seconds, to two percent; 0 if there are none.
    double quantile(double share) {
        long seen = 0;
        for (int i = 0; i < counts.length; i++) {
            seen += counts[i];
            if (seen > 0 && seen >= share * all) {
                return Math.exp(i * WIDTH) * 1e-6;
            }
        }
        return 0;
    }
}
