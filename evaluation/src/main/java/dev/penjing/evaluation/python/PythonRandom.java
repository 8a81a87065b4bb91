package dev.penjing.evaluation.python;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Python's `random.Random(seed)`, as far as drawing shots needs it: the Mersenne Twister MT19937
/// (Matsumoto and Nishimura 1998, `init_by_array` of the seed's 32-bit words) and `sample` of
/// CPython's `random.py`.
public final class PythonRandom {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int at = N;

    /// @param seed not negative
    public PythonRandom(long seed) {
        int high = (int) (seed >>> 32);
        int[] key = high == 0 ? new int[] {(int) seed} : new int[] {(int) seed, high};
        state[0] = 19650218;
        for (int i = 1; i < N; i++) {
            state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
        }
        int i = 1;
        int j = 0;
        for (int k = Math.max(N, key.length); k > 0; k--) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1664525)) + key[j] + j;
            j = (j + 1) % key.length;
            i = next(i);
        }
        for (int k = N - 1; k > 0; k--) {
            state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >>> 30)) * 1566083941)) - i;
            i = next(i);
        }
        state[0] = 0x80000000;
    }

    private int next(int i) {
        if (i + 1 < N) {
            return i + 1;
        }
        state[0] = state[N - 1];
        return 1;
    }

    /// The next `bits` random bits, at most 32.
    public long bits(int bits) {
        return Integer.toUnsignedLong(word()) >>> (32 - bits);
    }

    private int word() {
        if (at == N) {
            for (int i = 0; i < N; i++) {
                int y = (state[i] & 0x80000000) | (state[(i + 1) % N] & 0x7fffffff);
                state[i] = state[(i + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
            }
            at = 0;
        }
        int y = state[at++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    /// From 0 to `n` - 1.
    public int below(int n) {
        int bits = 32 - Integer.numberOfLeadingZeros(n);
        long drawn = bits(bits);
        while (drawn >= n) {
            drawn = bits(bits);
        }
        return (int) drawn;
    }

    /// `count` different elements in the order drawn.
    ///
    /// @throws IllegalArgumentException if there are fewer
    public <T> List<T> sample(List<T> population, int count) {
        int n = population.size();
        if (count > n) {
            throw new IllegalArgumentException("%d of %d".formatted(count, n));
        }
        List<T> drawn = new ArrayList<>();
        int setSize = 21;
        if (count > 5) {
            setSize += 1 << (2 * (int) Math.ceil(Math.log(count * 3.0) / Math.log(4)));
        }
        if (n <= setSize) {
            List<T> pool = new ArrayList<>(population);
            for (int i = 0; i < count; i++) {
                int j = below(n - i);
                drawn.add(pool.get(j));
                pool.set(j, pool.get(n - i - 1));
            }
            return drawn;
        }
        Set<Integer> taken = new HashSet<>();
        while (drawn.size() < count) {
            int j = below(n);
            if (taken.add(j)) {
                drawn.add(population.get(j));
            }
        }
        return drawn;
    }
}
