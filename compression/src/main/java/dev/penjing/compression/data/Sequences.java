package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import java.util.Random;

/// A tokenised corpus cut into training sequences of `length` inputs and as many targets (the
/// inputs shifted by one), in an order that depends on the seed alone: sample n is the same
/// whenever and however often it is asked for, so a stopped run continues where it was. Every
/// sequence comes once before any comes again; each pass has an order of its own.
public final class Sequences {
    private final TokenFile tokens;
    private final int length;
    private final long seed;
    private final int count;
    private long shuffledPass = -1;
    private int[] order = new int[0];

    public Sequences(TokenFile tokens, int length, long seed) {
        this.tokens = tokens;
        this.length = length;
        this.seed = seed;
        this.count = Math.toIntExact((tokens.size() - 1) / length);
        if (count == 0) {
            throw new PenjingException(
                    "the text comes to %d tokens, less than one sequence of %d + 1: give more"
                                    .formatted(tokens.size(), length)
                            + " `data` or a shorter `sequenceLength`");
        }
    }

    /// Sequences in one pass.
    public int count() {
        return count;
    }

    public int length() {
        return length;
    }

    /// Sample `n`, counted over all passes: `length + 1` ids.
    public int[] sample(long n) {
        long pass = n / count;
        if (pass != shuffledPass) {
            order = shuffled(count, seed + 0x9E3779B97F4A7C15L * pass);
            shuffledPass = pass;
        }
        return tokens.slice((long) order[(int) (n % count)] * length, length + 1);
    }

    private static int[] shuffled(int count, long seed) {
        int[] order = new int[count];
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
