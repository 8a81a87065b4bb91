package dev.penjing.model.quantization;

/// The upper half of a float32: 8 bits of exponent, 7 of fraction.
public final class Bfloat16 {
    private Bfloat16() {}

    /// The bits of the nearest, of two the even one. What is not a number stays so.
    public static short bits(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    public static float toFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
