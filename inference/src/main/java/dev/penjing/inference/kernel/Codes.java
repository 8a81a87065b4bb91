package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;

import java.lang.foreign.MemorySegment;

/// How the codes of 32 weights of a row lie in its lanes, 32 bits each.
///
/// Codes come as eight words: word w has columns 4 w to 4 w + 3, a byte each. A lane of nibbles
/// holds two words, one in the low halves of its bytes and one in the high halves.
public enum Codes {
    /// Lane v has the words v and v + 4, as GGUF's blocks of 32 weights have them.
    NIBBLES(4),

    /// Nibbles as above, and a lane of fifth bits: that of word v in bit 2 v of each byte, that of
    /// word v + 4 in bit 2 v + 1.
    FIVES(5),

    /// Lane v of nibbles has the words 2 v and 2 v + 1; then a lane with the two upper bits of the
    /// first four words, word w's in the bits 2 w and 2 w + 1 of each byte, and one of the last
    /// four. So the first sixteen columns, which have a scale of their own, are a half of it all.
    SIXES(6),

    /// Lane v is word v.
    BYTES(8);

    private static final int LOW = 0x0f0f0f0f;
    private static final int ONES = 0x01010101;
    private static final int TWOS = 0x03030303;

    private final int bits;

    Codes(int bits) {
        this.bits = bits;
    }

    /// Of a code, and lanes of 32 of them.
    public int bits() {
        return bits;
    }

    /// The word that a lane of nibbles holds in its low halves, or else in its high ones.
    public int word(int lane, boolean high) {
        return switch (this) {
            case NIBBLES, FIVES -> high ? lane + 4 : lane;
            case SIXES -> high ? 2 * lane + 1 : 2 * lane;
            case BYTES -> lane;
        };
    }

    /// @param lane where the first lane lies; the next one is `step` bytes behind
    void pack(int[] words, MemorySegment data, long lane, long step) {
        if (this == BYTES) {
            for (int v = 0; v < 8; v++) {
                data.set(INT, lane + v * step, words[v]);
            }
            return;
        }
        for (int v = 0; v < 4; v++) {
            int low = words[word(v, false)] & LOW;
            int high = words[word(v, true)] & LOW;
            data.set(INT, lane + v * step, low | high << 4);
        }
        if (this == FIVES) {
            int fifths = 0;
            for (int w = 0; w < 8; w++) {
                fifths |= (words[w] >>> 4 & ONES) << bit(w);
            }
            data.set(INT, lane + 4 * step, fifths);
        }
        if (this == SIXES) {
            for (int half = 0; half < 2; half++) {
                int upper = 0;
                for (int w = 0; w < 4; w++) {
                    upper |= (words[4 * half + w] >>> 4 & TWOS) << 2 * w;
                }
                data.set(INT, lane + (4 + half) * step, upper);
            }
        }
    }

    /// The reverse of [#pack].
    void unpack(MemorySegment data, long lane, long step, int[] words) {
        if (this == BYTES) {
            for (int v = 0; v < 8; v++) {
                words[v] = data.get(INT, lane + v * step);
            }
            return;
        }
        for (int v = 0; v < 4; v++) {
            int both = data.get(INT, lane + v * step);
            words[word(v, false)] = both & LOW;
            words[word(v, true)] = both >>> 4 & LOW;
        }
        if (this == FIVES) {
            int fifths = data.get(INT, lane + 4 * step);
            for (int w = 0; w < 8; w++) {
                words[w] |= (fifths >>> bit(w) & ONES) << 4;
            }
        }
        if (this == SIXES) {
            for (int w = 0; w < 8; w++) {
                int upper = data.get(INT, lane + (4 + w / 4) * step);
                words[w] |= (upper >>> w % 4 * 2 & TWOS) << 4;
            }
        }
    }

    /// Of [#FIVES], where the fifth bits of a word lie in each byte.
    static int bit(int word) {
        return word % 4 * 2 + word / 4;
    }
}
