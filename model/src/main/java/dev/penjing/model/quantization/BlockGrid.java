package dev.penjing.model.quantization;

import java.nio.ByteBuffer;

/// The numbers that the weights of a GGUF block can become, and how the block is written
/// (ggml-common.h). A block's parts have scales of their own, so a number is scale x number of the
/// code - what is taken away.
///
/// Scales are fitted first, for all weights of the block; codes are chosen afterwards, one by one.
public final class BlockGrid {
    private static final int SIX_BITS = 63;
    private static final int COLUMNS = 32;

    private final BlockType type;

    /// Weights that share a scale.
    private final int part;

    private final float[] scales;
    private final float[] minimums;

    /// Whole-number factors of the parts, in super-blocks.
    private final int[] factors;

    private final int[] minimumFactors;
    private short scale;
    private short minimum;

    private BlockGrid(BlockType type) {
        this.type = type;
        this.part = type == BlockType.Q6_K ? 16 : COLUMNS;
        int parts = type.weights() / part;
        this.scales = new float[parts];
        this.minimums = new float[parts];
        this.factors = new int[parts];
        this.minimumFactors = new int[parts];
    }

    /// @param type Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL or IQ4_XS
    public static BlockGrid of(BlockType type) {
        return new BlockGrid(type);
    }

    /// The highest code of types that take something away; half the number of codes of others.
    private int levels() {
        return switch (type) {
            case Q4_0 -> 8;
            case Q5_0 -> 16;
            case Q4_1, Q4_K -> 15;
            case Q5_1, Q5_K -> 31;
            case Q6_K -> 32;
            default -> throw new IllegalArgumentException(type + " has no levels");
        };
    }

    /// Fits the scales to a block.
    ///
    /// @param x weights, from `at` on
    /// @param w of each of the block's columns, what an error there costs, from `wAt` on
    public void fit(float[] x, int at, float[] w, int wAt) {
        switch (type) {
            case Q4_0, Q5_0 -> single(ScaleFit.symmetric(x, at, COLUMNS, w, wAt, levels()));
            case IQ4_NL -> single(ScaleFit.table(x, at, COLUMNS, w, wAt));
            case Q4_1, Q5_1 -> {
                float[] fit = ScaleFit.affine(x, at, COLUMNS, w, wAt, levels(), false);
                single(fit[0]);
                minimum = half(fit[1]);
                minimums[0] = Float.float16ToFloat(minimum);
            }
            case Q4_K, Q5_K -> superMinimums(x, at, w, wAt);
            case Q6_K, IQ4_XS -> supers(x, at, w, wAt);
            default -> throw new IllegalArgumentException(type + " has no scales");
        }
    }

    private void single(float fitted) {
        scale = half(fitted);
        scales[0] = Float.float16ToFloat(scale);
    }

    /// The nearest float16 that is finite.
    private static short half(float x) {
        return Float.floatToFloat16(Math.clamp(x, -65504f, 65504f));
    }

    private void supers(float[] x, int at, float[] w, int wAt) {
        boolean six = type == BlockType.Q6_K;
        float largest = 0;
        for (int p = 0; p < scales.length; p++) {
            int from = at + p * part;
            int by = wAt + p * part;
            scales[p] =
                    six
                            ? ScaleFit.symmetric(x, from, part, w, by, levels())
                            : ScaleFit.table(x, from, part, w, by);
            largest = Math.abs(scales[p]) > Math.abs(largest) ? scales[p] : largest;
        }
        int limit = six ? 128 : 32;
        // the largest gets the lowest factor, as there is one more on that side
        scale = half(largest / -limit);
        float d = Float.float16ToFloat(scale);
        for (int p = 0; p < scales.length; p++) {
            factors[p] =
                    d == 0 ? 0 : (int) ScaleFit.clamp(Math.rint(scales[p] / d), -limit, limit - 1);
            factors[p] = best(x, at, w, wAt, p, d, limit);
            scales[p] = d * factors[p];
        }
    }

    /// Of the factors around a part's, the one that costs least.
    private int best(float[] x, int at, float[] w, int wAt, int p, float d, int limit) {
        int middle = factors[p];
        int best = middle;
        double least = Double.POSITIVE_INFINITY;
        for (int f = Math.max(-limit, middle - 1); f <= Math.min(limit - 1, middle + 1); f++) {
            scales[p] = d * f;
            double cost = cost(x, at, w, wAt, p);
            if (cost < least) {
                least = cost;
                best = f;
            }
        }
        return best;
    }

    private void superMinimums(float[] x, int at, float[] w, int wAt) {
        float largest = 0;
        float most = 0;
        for (int p = 0; p < scales.length; p++) {
            float[] fit =
                    ScaleFit.affine(x, at + p * part, part, w, wAt + p * part, levels(), true);
            scales[p] = fit[0];
            minimums[p] = fit[1];
            largest = Math.max(largest, fit[0]);
            most = Math.max(most, fit[1]);
        }
        scale = half(largest / SIX_BITS);
        minimum = half(most / SIX_BITS);
        float d = Float.float16ToFloat(scale);
        float m = Float.float16ToFloat(minimum);
        for (int p = 0; p < scales.length; p++) {
            int factor = d == 0 ? 0 : (int) ScaleFit.clamp(Math.rint(scales[p] / d), 0, SIX_BITS);
            int taken = m == 0 ? 0 : (int) ScaleFit.clamp(Math.rint(minimums[p] / m), 0, SIX_BITS);
            double least = Double.POSITIVE_INFINITY;
            for (int f = Math.max(0, factor - 1); f <= Math.min(SIX_BITS, factor + 1); f++) {
                for (int t = Math.max(0, taken - 1); t <= Math.min(SIX_BITS, taken + 1); t++) {
                    scales[p] = d * f;
                    minimums[p] = m * t;
                    double cost = cost(x, at, w, wAt, p);
                    if (cost < least) {
                        least = cost;
                        factors[p] = f;
                        minimumFactors[p] = t;
                    }
                }
            }
            scales[p] = d * factors[p];
            minimums[p] = m * minimumFactors[p];
        }
    }

    private double cost(float[] x, int at, float[] w, int wAt, int p) {
        double cost = 0;
        for (int i = p * part; i < (p + 1) * part; i++) {
            double error = x[at + i] - value(i, code(i, x[at + i]));
            cost += w[wAt + i] * error * error;
        }
        return cost;
    }

    /// The code of the number nearest to `x`.
    ///
    /// @param i column of the block
    public int code(int i, float x) {
        float s = scales[i / part];
        float v = s == 0 ? 0 : (x + minimums[i / part]) / s;
        return switch (type) {
            case IQ4_NL, IQ4_XS -> CodeTable.nearest(v);
            case Q4_1, Q5_1, Q4_K, Q5_K -> (int) ScaleFit.clamp(Math.rint(v), 0, levels());
            default -> (int) ScaleFit.clamp(Math.rint(v), -levels(), levels() - 1) + levels();
        };
    }

    /// The number of a code, as whoever reads the block gets it.
    public float value(int i, int code) {
        float number =
                switch (type) {
                    case IQ4_NL, IQ4_XS -> CodeTable.number(code);
                    case Q4_1, Q5_1, Q4_K, Q5_K -> code;
                    default -> code - levels();
                };
        return number * scales[i / part] - minimums[i / part];
    }

    /// Writes the block.
    ///
    /// @param codes of its weights
    public void write(int[] codes, ByteBuffer out) {
        switch (type) {
            case Q4_0, IQ4_NL -> {
                out.putShort(scale);
                nibbles(codes, 0, out);
            }
            case Q4_1 -> {
                out.putShort(scale).putShort(negative(minimum));
                nibbles(codes, 0, out);
            }
            case Q5_0 -> {
                out.putShort(scale).putInt(fifths(codes));
                nibbles(codes, 0, out);
            }
            case Q5_1 -> {
                out.putShort(scale).putShort(negative(minimum)).putInt(fifths(codes));
                nibbles(codes, 0, out);
            }
            case Q4_K, Q5_K -> {
                out.putShort(scale).putShort(minimum);
                factors(out);
                if (type == BlockType.Q5_K) {
                    for (int i = 0; i < COLUMNS; i++) {
                        int bits = 0;
                        for (int p = 0; p < 8; p++) {
                            bits |= (codes[p * COLUMNS + i] >> 4) << p;
                        }
                        out.put((byte) bits);
                    }
                }
                for (int p = 0; p < 8; p += 2) {
                    for (int i = 0; i < COLUMNS; i++) {
                        int low = codes[p * COLUMNS + i] & 15;
                        out.put((byte) (low | (codes[(p + 1) * COLUMNS + i] & 15) << 4));
                    }
                }
            }
            case Q6_K -> sixes(codes, out);
            case IQ4_XS -> {
                out.putShort(scale);
                int high = 0;
                for (int p = 0; p < 8; p++) {
                    high |= (factors[p] + 32 >> 4) << 2 * p;
                }
                out.putShort((short) high);
                for (int p = 0; p < 8; p += 2) {
                    out.put((byte) (factors[p] + 32 & 15 | (factors[p + 1] + 32 & 15) << 4));
                }
                for (int p = 0; p < 8; p++) {
                    nibbles(codes, p * COLUMNS, out);
                }
            }
            default -> throw new IllegalArgumentException(type + " has no blocks");
        }
    }

    private static short negative(short half) {
        return (short) (half ^ 0x8000);
    }

    private static void nibbles(int[] codes, int at, ByteBuffer out) {
        for (int i = at; i < at + 16; i++) {
            out.put((byte) (codes[i] & 15 | (codes[i + 16] & 15) << 4));
        }
    }

    private static int fifths(int[] codes) {
        int bits = 0;
        for (int i = 0; i < COLUMNS; i++) {
            bits |= (codes[i] >> 4 & 1) << i;
        }
        return bits;
    }

    /// Eight factors and eight of what is taken away, of six bits each, in twelve bytes.
    private void factors(ByteBuffer out) {
        byte[] packed = new byte[12];
        for (int p = 0; p < 4; p++) {
            packed[p] = (byte) (factors[p] | factors[p + 4] >> 4 << 6);
            packed[p + 4] = (byte) (minimumFactors[p] | minimumFactors[p + 4] >> 4 << 6);
            packed[p + 8] = (byte) (factors[p + 4] & 15 | (minimumFactors[p + 4] & 15) << 4);
        }
        out.put(packed);
    }

    private void sixes(int[] codes, ByteBuffer out) {
        byte[] low = new byte[128];
        byte[] high = new byte[64];
        for (int i = 0; i < codes.length; i++) {
            int half = i / 128;
            int quarter = i % 128 / COLUMNS;
            int column = i % COLUMNS;
            low[half * 64 + quarter % 2 * 32 + column] |=
                    (byte) ((codes[i] & 15) << quarter / 2 * 4);
            high[half * 32 + column] |= (byte) (codes[i] >> 4 << quarter * 2);
        }
        out.put(low).put(high);
        for (int factor : factors) {
            out.put((byte) factor);
        }
        out.putShort(scale);
    }
}
