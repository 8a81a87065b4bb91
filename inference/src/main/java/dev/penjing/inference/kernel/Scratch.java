package dev.penjing.inference.kernel;

/// A thread's own buffers.
public final class Scratch {
    final int[] quants = new int[PackedMatrix.UNIT];
    /// Weights of a group, widened, a few blocks at a time.
    private short[] unpacked = new short[0];
    private float[] scales = new float[0];
    private float[] floats = new float[0];

    short[] unpacked(int size) {
        if (unpacked.length < size) {
            unpacked = new short[size];
        }
        return unpacked;
    }

    float[] scales(int size) {
        if (scales.length < size) {
            scales = new float[size];
        }
        return scales;
    }

    /// At least `size` floats, of any value.
    public float[] floats(int size) {
        if (floats.length < size) {
            floats = new float[size];
        }
        return floats;
    }
}
