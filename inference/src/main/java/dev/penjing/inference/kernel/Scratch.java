package dev.penjing.inference.kernel;

/// A thread's own buffers, which grow to what is asked for and hold any values.
public final class Scratch {
    /// A block's numbers, and a place before them.
    final int[] quants = new int[1 + PackedMatrix.UNIT];

    /// What was read only to have it in the cache.
    int touched;

    private float[] sums = new float[0];
    private float[] floats = new float[0];

    /// For products: they may be called while [#floats] is in use.
    float[] sums(int size) {
        sums = sums.length < size ? new float[size] : sums;
        return sums;
    }

    public float[] floats(int size) {
        floats = floats.length < size ? new float[size] : floats;
        return floats;
    }
}
