package dev.penjing.model.quantization;

/// The sixteen numbers that the codes of IQ4_NL and IQ4_XS stand for (ggml-common.h).
public final class CodeTable {
    static final int LARGEST = 127;

    private static final byte[] NUMBERS = {
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
    };

    private static final byte[] NEAREST = nearest();

    private CodeTable() {}

    /// As bytes, in the order of codes.
    public static byte[] numbers() {
        return NUMBERS.clone();
    }

    public static byte number(int code) {
        return NUMBERS[code];
    }

    /// The code of the nearest number; the lower one of two.
    static int nearest(float x) {
        // halves of numbers lie at halves: between those the code is the same
        return NEAREST[(int) Math.clamp(Math.ceil(2 * x), -256, 256) + 256];
    }

    private static byte[] nearest() {
        byte[] nearest = new byte[513];
        for (int i = 0; i < nearest.length; i++) {
            int code = 0;
            while (code < 15 && i - 256 > NUMBERS[code] + NUMBERS[code + 1]) {
                code++;
            }
            nearest[i] = (byte) code;
        }
        return nearest;
    }
}
