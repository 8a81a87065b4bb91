package dev.penjing.inference.kernel;

/// A thread's own buffers, which grow to what is asked for and hold any values.
public final class Scratch {
    final int[] quants = new int[PackedMatrix.UNIT];

    private short[] wide = new short[0];
    private short[] shorts = new short[0];
    private int[] ints = new int[0];
    private float[] scales = new float[0];
    private float[] floats = new float[0];

    /// Weights of a few blocks, widened.
    short[] wide(int size) {
        wide = wide.length < size ? new short[size] : wide;
        return wide;
    }

    short[] shorts(int size) {
        shorts = shorts.length < size ? new short[size] : shorts;
        return shorts;
    }

    int[] ints(int size) {
        ints = ints.length < size ? new int[size] : ints;
        return ints;
    }

    float[] scales(int size) {
        scales = scales.length < size ? new float[size] : scales;
        return scales;
    }

    public float[] floats(int size) {
        floats = floats.length < size ? new float[size] : floats;
        return floats;
    }
}
