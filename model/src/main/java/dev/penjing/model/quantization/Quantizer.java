package dev.penjing.model.quantization;

/// Weights to blocks, as ggml's reference code makes them (ggml-quants.c), so that the bytes are
/// the same.
public final class Quantizer {
    /// Weights of a block.
    public static final int BLOCK = 32;

    private Quantizer() {}

    /// To -8 to 7: the weight that is largest in size becomes -8.
    ///
    /// @param quants gets 32
    /// @return the scale's float16 bits
    public static short q4(float[] weights, int at, byte[] quants) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            float w = weights[at + i];
            largest = Math.abs(w) > Math.abs(largest) ? w : largest;
        }
        float scale = largest / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < BLOCK; i++) {
            quants[i] = (byte) (Math.min(15, (int) (weights[at + i] * inverse + 8.5f)) - 8);
        }
        return Float.floatToFloat16(scale);
    }

    /// To -127 to 127.
    ///
    /// @param quants gets 32
    /// @return the scale's float16 bits
    public static short q8(float[] weights, int at, byte[] quants) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            largest = Math.max(largest, Math.abs(weights[at + i]));
        }
        float scale = largest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < BLOCK; i++) {
            quants[i] = (byte) round(weights[at + i] * inverse);
        }
        return Float.floatToFloat16(scale);
    }

    /// As C's roundf: halves away from zero.
    private static int round(float x) {
        return (int) (x < 0 ? Math.ceil(x - 0.5) : Math.floor(x + 0.5));
    }
}
