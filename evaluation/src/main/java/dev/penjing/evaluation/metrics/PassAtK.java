package dev.penjing.evaluation.metrics;

/// pass@k (Chen et al. 2021, equation 1), without bias.
public final class PassAtK {
    private PassAtK() {}

    /// The chance that at least one of `k` texts passes, of `n` of which `passed` did.
    public static double at(int k, int n, int passed) {
        if (k < 1 || k > n) {
            throw new IllegalArgumentException("pass@%d of %d samples".formatted(k, n));
        }
        if (n - passed < k) {
            return 1;
        }
        double none = 1;
        for (int i = n - passed + 1; i <= n; i++) {
            none *= 1 - (double) k / i;
        }
        return 1 - none;
    }
}
