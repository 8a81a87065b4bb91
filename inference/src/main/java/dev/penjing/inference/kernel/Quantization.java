package dev.penjing.inference.kernel;

/// How weights are stored to compute with: blocks of 32 columns of a row that share a scale.
public enum Quantization {
    /// Four bits, -8 to 7, times the scale: 4.5 bits a weight.
    Q4_0(4),
    /// Eight bits, -127 to 127, times the scale: 8.5 bits a weight.
    Q8_0(8);

    private final int bits;

    Quantization(int bits) {
        this.bits = bits;
    }

    /// Of a weight, scale left out.
    public int bits() {
        return bits;
    }

    /// Bytes of 32 weights of one row and their scale.
    int blockBytes() {
        return 4 * bits + 2;
    }
}
