package dev.penjing.inference.constraint;

/// A set of bytes, 64 of them a word.
record ByteSet(long a, long b, long c, long d) {
    /// The bytes `from` to `to`, both in it.
    static ByteSet range(int from, int to) {
        long[] words = new long[4];
        for (int octet = from; octet <= to; octet++) {
            words[octet >> 6] |= 1L << octet;
        }
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    ByteSet or(ByteSet o) {
        return new ByteSet(a | o.a, b | o.b, c | o.c, d | o.d);
    }

    /// @param octet 0 to 255
    boolean contains(int octet) {
        long word = octet < 128 ? (octet < 64 ? a : b) : (octet < 192 ? c : d);
        return (word >>> octet & 1) != 0;
    }

    boolean isEmpty() {
        return (a | b | c | d) == 0;
    }
}
