package dev.penjing.inference.kernel;

import java.util.Random;

/// 32 weights of a row, taken apart: their codes, and what turns these into weights. A weight is
/// (whole number of its code) x [#scale] - [#minimum].
public final class Block {
    /// Codes, see [Codes].
    final int[] words = new int[8];

    /// Float16's bits: of the block, or of its super-block.
    short scale;

    /// As `scale`: what is taken away.
    short minimum;

    /// Multiplies the scale.
    int first = 1;

    /// Multiplies the minimum, or the scale where it is that of the last sixteen columns.
    int second = 1;

    /// @param part of the block
    float scale(int part) {
        return Float.float16ToFloat(scale) * (part == 0 ? first : second);
    }

    /// Zero where nothing is taken away.
    float minimum() {
        return minimum == 0 ? 0 : Float.float16ToFloat(minimum) * second;
    }

    /// Of a column, 0 to 31.
    int code(int column) {
        return words[column / 4] >>> column % 4 * 8 & 0xff;
    }

    void code(int column, int code) {
        int shift = column % 4 * 8;
        words[column / 4] = words[column / 4] & ~(0xff << shift) | (code & 0xff) << shift;
    }

    /// Whether scale and minimum are numbers.
    boolean isFinite() {
        return (scale & 0x7c00) != 0x7c00 && (minimum & 0x7c00) != 0x7c00;
    }

    /// Anything that the format can hold: what kernels are checked with.
    ///
    /// @param edges whether all numbers are as large as they can be, with one sign in a block, and
    ///   now and then the scale is as small, a subnormal float16, which processors multiply slowly
    public static Block random(WeightFormat format, Random random, boolean edges) {
        Block block = new Block();
        int limit = 1 << format.codes().bits();
        boolean lowest = random.nextBoolean();
        for (int i = 0; i < PackedMatrix.UNIT; i++) {
            int least = format.codes() == Codes.BYTES ? 1 - limit / 2 : 0;
            int most = format.codes() == Codes.BYTES ? limit / 2 - 1 : limit - 1;
            block.code(i, edges ? lowest ? least : most : random.nextInt(least, most + 1));
        }
        float size =
                edges && random.nextInt(20) == 0 ? 0x1p-24f : (random.nextFloat() - 0.5f) * 0.1f;
        block.scale = Float.floatToFloat16(size);
        switch (format.scales()) {
            case HALF -> {}
            case HALF_MINIMUM ->
                    block.minimum = Float.floatToFloat16((random.nextFloat() - 0.5f) * 0.1f);
            case SUPER_MINIMUM -> {
                block.minimum = Float.floatToFloat16(random.nextFloat() * 0.1f);
                block.first = edges ? 63 : random.nextInt(64);
                block.second = edges ? 63 : random.nextInt(64);
            }
            case SUPER_SIXTEENS -> {
                block.first = edges ? -128 : random.nextInt(-128, 128);
                block.second = edges ? 127 : random.nextInt(-128, 128);
            }
            case SUPER -> block.first = edges ? -32 : random.nextInt(-32, 32);
        }
        return block;
    }
}
