package dev.penjing.model.gguf;

/// The order of a head's rows in q and k: GGUF's llama rotates neighbouring dimensions, Hugging
/// Face's those half a head apart. Even rows of the one are the first half of the other.
public final class HeadRows {
    private HeadRows() {}

    /// The row in GGUF that is `row` in Hugging Face's order.
    public static int inGguf(int row, int headDim) {
        int in = row % headDim;
        int half = headDim / 2;
        return row - in + (in < half ? 2 * in : 2 * (in - half) + 1);
    }

    /// The row in Hugging Face's order that is `row` in GGUF.
    public static int inHuggingFace(int row, int headDim) {
        int in = row % headDim;
        return row - in + in % 2 * (headDim / 2) + in / 2;
    }
}
