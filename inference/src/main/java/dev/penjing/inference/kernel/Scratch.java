package dev.penjing.inference.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A thread's own buffers, which grow to what is asked for and hold any values.
public final class Scratch {
    /// A block's numbers.
    final int[] quants = new int[PackedMatrix.UNIT];

    /// What was read only to have it in the cache.
    int touched;

    private float[] sums = new float[0];
    private float[] floats = new float[0];
    private MemorySegment outside = MemorySegment.NULL;

    /// For products: they may be called while [#floats] is in use.
    float[] sums(int size) {
        sums = sums.length < size ? new float[size] : sums;
        return sums;
    }

    /// Memory outside the heap, for emitted code.
    public MemorySegment outside(long bytes) {
        if (outside.byteSize() < bytes) {
            outside = Arena.ofAuto().allocate(bytes, PackedMatrix.ALIGNMENT);
        }
        return outside;
    }

    public float[] floats(int size) {
        floats = floats.length < size ? new float[size] : floats;
        return floats;
    }
}
