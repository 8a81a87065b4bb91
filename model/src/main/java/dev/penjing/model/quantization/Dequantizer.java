package dev.penjing.model.quantization;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Blocks of quantised weights back to float32, as ggml defines them (ggml-common.h,
/// ggml-quants.c): in the order of operations of its reference code, so that the numbers are the
/// same bit for bit.
public final class Dequantizer {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment data;
    private final float[] out;

    private Dequantizer(MemorySegment data, float[] out) {
        this.data = data;
        this.out = out;
    }

    /// @param data whole blocks, of no more weights than an array can hold
    public static float[] floats(BlockType type, MemorySegment data) {
        int blocks = Math.toIntExact(data.byteSize() / type.bytes());
        float[] out = new float[Math.multiplyExact(blocks, type.weights())];
        Dequantizer dequantizer = new Dequantizer(data, out);
        for (int block = 0; block < blocks; block++) {
            dequantizer.block(type, (long) block * type.bytes(), block * type.weights());
        }
        return out;
    }

    private void block(BlockType type, long at, int to) {
        switch (type) {
            case F32 -> out[to] = data.get(FLOAT, at);
            case F16 -> out[to] = half(at);
            case BF16 -> out[to] = Float.intBitsToFloat(data.get(SHORT, at) << 16);
            case Q4_0 -> nibbles(half(at), -8, 0f, at + 2, to);
            case Q4_1 -> nibbles(half(at), 0, half(at + 2), at + 4, to);
            case Q5_0 -> fives(half(at), -16, 0f, at + 2, to);
            case Q5_1 -> fives(half(at), 0, half(at + 2), at + 4, to);
            case Q8_0 -> {
                float d = half(at);
                for (int i = 0; i < 32; i++) {
                    out[to + i] = octet(at + 2 + i) * d;
                }
            }
            case Q4_K -> fours(at, to);
            case Q5_K -> fivesK(at, to);
            case Q6_K -> sixes(at, to);
            case IQ4_NL -> table(half(at), at + 2, to);
            case IQ4_XS -> {
                float d = half(at);
                int high = data.get(SHORT, at + 2) & 0xffff;
                for (int j = 0; j < 8; j++) {
                    int low = unsigned(at + 4 + j / 2) >> j % 2 * 4 & 15;
                    float step = d * ((low | (high >> 2 * j & 3) << 4) - 32);
                    table(step, at + 8 + j * 16L, to + j * 32);
                }
            }
        }
    }

    private float half(long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    /// Signed.
    private int octet(long at) {
        return data.get(ValueLayout.JAVA_BYTE, at);
    }

    private int unsigned(long at) {
        return octet(at) & 0xff;
    }

    private void nibbles(float d, int offset, float minimum, long at, int to) {
        for (int i = 0; i < 16; i++) {
            int q = unsigned(at + i);
            out[to + i] = ((q & 15) + offset) * d + minimum;
            out[to + 16 + i] = ((q >> 4) + offset) * d + minimum;
        }
    }

    private void table(float d, long at, int to) {
        for (int i = 0; i < 16; i++) {
            int q = unsigned(at + i);
            out[to + i] = d * CodeTable.number(q & 15);
            out[to + 16 + i] = d * CodeTable.number(q >> 4);
        }
    }

    /// The fifth bits of all 32 weights come first, then the nibbles.
    private void fives(float d, int offset, float minimum, long at, int to) {
        int high = data.get(INT, at);
        for (int i = 0; i < 16; i++) {
            int q = unsigned(at + 4 + i);
            int low = q & 15 | (high >>> i & 1) << 4;
            int upper = q >> 4 | (high >>> i + 16 & 1) << 4;
            out[to + i] = (low + offset) * d + minimum;
            out[to + 16 + i] = (upper + offset) * d + minimum;
        }
    }

    /// Six bits of scale and six of minimum for each of eight sub-blocks, packed in twelve bytes.
    private int scale(long scales, int j) {
        return j < 4
                ? unsigned(scales + j) & 63
                : unsigned(scales + j + 4) & 15 | unsigned(scales + j - 4) >> 6 << 4;
    }

    private int minimum(long scales, int j) {
        return j < 4
                ? unsigned(scales + j + 4) & 63
                : unsigned(scales + j + 4) >> 4 | unsigned(scales + j) >> 6 << 4;
    }

    private void fours(long at, int to) {
        float d = half(at);
        float dMin = half(at + 2);
        long scales = at + 4;
        for (int j = 0; j < 8; j++) {
            float step = d * scale(scales, j);
            float low = dMin * minimum(scales, j);
            long quants = at + 16 + j / 2 * 32L;
            for (int i = 0; i < 32; i++) {
                int q = unsigned(quants + i) >> j % 2 * 4 & 15;
                out[to + j * 32 + i] = step * q - low;
            }
        }
    }

    private void fivesK(long at, int to) {
        float d = half(at);
        float dMin = half(at + 2);
        long scales = at + 4;
        long high = at + 16;
        for (int j = 0; j < 8; j++) {
            float step = d * scale(scales, j);
            float low = dMin * minimum(scales, j);
            long quants = at + 48 + j / 2 * 32L;
            for (int i = 0; i < 32; i++) {
                int q = unsigned(quants + i) >> j % 2 * 4 & 15 | (unsigned(high + i) >> j & 1) << 4;
                out[to + j * 32 + i] = step * q - low;
            }
        }
    }

    private void sixes(long at, int to) {
        float d = half(at + 208);
        for (int half = 0; half < 2; half++) {
            long low = at + half * 64L;
            long high = at + 128 + half * 32L;
            long scales = at + 192 + half * 8L;
            for (int i = 0; i < 32; i++) {
                for (int part = 0; part < 4; part++) {
                    int nibble = unsigned(low + i + part % 2 * 32L) >> part / 2 * 4 & 15;
                    int q = (nibble | (unsigned(high + i) >> part * 2 & 3) << 4) - 32;
                    float step = d * octet(scales + part * 2L + i / 16);
                    out[to + half * 128 + part * 32 + i] = step * q;
                }
            }
        }
    }
}
