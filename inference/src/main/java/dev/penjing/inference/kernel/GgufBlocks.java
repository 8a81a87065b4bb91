package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;
import static dev.penjing.inference.kernel.PackedMatrix.SHORT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Takes GGUF's blocks apart as ggml defines them (ggml-common.h), without turning their codes into
/// numbers.
final class GgufBlocks {
    private static final int LOW = 0x0f0f0f0f;
    private static final int ONES = 0x01010101;
    private static final int TWOS = 0x03030303;

    /// Times it, four bits are one in each byte.
    private static final int SPREAD = 0x00204081;

    private static final short SIGN = (short) 0x8000;

    private final MemorySegment data;
    private final Block to;

    private GgufBlocks(MemorySegment data, Block to) {
        this.data = data;
        this.to = to;
    }

    /// @param at where GGUF's block starts
    /// @param part which 32 weights of it
    static void read(WeightFormat format, MemorySegment data, long at, int part, Block to) {
        new GgufBlocks(data, to).read(format, at, part);
    }

    private void read(WeightFormat format, long at, int part) {
        to.scale = data.get(SHORT, format == WeightFormat.Q6_K ? at + 208 : at);
        switch (format) {
            case Q4_0, IQ4_NL -> nibbles(at + 2);
            case Q4_1 -> {
                taken(at + 2);
                nibbles(at + 4);
            }
            case Q5_0 -> fives(at + 2);
            case Q5_1 -> {
                taken(at + 2);
                fives(at + 4);
            }
            case Q8_0 -> {
                for (int w = 0; w < 8; w++) {
                    to.words[w] = data.get(INT, at + 2 + 4L * w);
                }
            }
            case Q4_K -> {
                packedScales(at, part);
                chunk(at + 16, part);
            }
            case Q5_K -> {
                packedScales(at, part);
                chunk(at + 48, part);
                for (int w = 0; w < 8; w++) {
                    to.words[w] |= (data.get(INT, at + 16 + 4L * w) >>> part & ONES) << 4;
                }
            }
            case Q6_K -> sixes(at, part);
            case IQ4_XS -> {
                int high = data.get(SHORT, at + 2) >>> 2 * part & 3;
                int low = octet(at + 4 + part / 2) >>> part % 2 * 4 & 15;
                to.first = (low | high << 4) - 32;
                nibbles(at + 8 + 16L * part);
            }
        }
    }

    private int octet(long at) {
        return data.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    }

    /// What GGUF adds is taken away here.
    private void taken(long at) {
        to.minimum = (short) (data.get(SHORT, at) ^ SIGN);
    }

    private void nibbles(long at) {
        for (int w = 0; w < 4; w++) {
            int both = data.get(INT, at + 4L * w);
            to.words[w] = both & LOW;
            to.words[w + 4] = both >>> 4 & LOW;
        }
    }

    /// The fifth bits of all 32 come first.
    private void fives(long at) {
        nibbles(at + 4);
        int fifths = data.get(INT, at);
        for (int w = 0; w < 8; w++) {
            to.words[w] |= ((fifths >>> 4 * w & 15) * SPREAD & ONES) << 4;
        }
    }

    /// Of two parts that share 32 bytes, one has the low nibbles and one the high ones.
    private void chunk(long at, int part) {
        for (int w = 0; w < 8; w++) {
            int both = data.get(INT, at + part / 2 * 32L + 4L * w);
            to.words[w] = both >>> part % 2 * 4 & LOW;
        }
    }

    /// Eight scales and eight minimums of six bits in twelve bytes.
    private void packedScales(long at, int part) {
        to.minimum = data.get(SHORT, at + 2);
        long scales = at + 4;
        if (part < 4) {
            to.first = octet(scales + part) & 63;
            to.second = octet(scales + part + 4) & 63;
        } else {
            int both = octet(scales + part + 4);
            to.first = both & 15 | octet(scales + part - 4) >>> 6 << 4;
            to.second = both >>> 4 | octet(scales + part) >>> 6 << 4;
        }
    }

    private void sixes(long at, int part) {
        long half = part / 4;
        int quarter = part % 4;
        for (int w = 0; w < 8; w++) {
            int low = data.get(INT, at + half * 64 + quarter % 2 * 32L + 4L * w);
            int high = data.get(INT, at + 128 + half * 32 + 4L * w);
            to.words[w] = low >>> quarter / 2 * 4 & LOW | (high >>> quarter * 2 & TWOS) << 4;
        }
        to.first = data.get(ValueLayout.JAVA_BYTE, at + 192 + 2L * part);
        to.second = data.get(ValueLayout.JAVA_BYTE, at + 193 + 2L * part);
    }
}
