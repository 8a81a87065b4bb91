package dev.penjing.model.safetensors;

import dev.penjing.model.PenjingException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A tensor in a mapped file: read from it without a copy, while the file is open.
///
/// @param data little-endian, row-major
public record TensorView(String name, DType dtype, long[] shape, MemorySegment data) {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Elements in all.
    public long size() {
        return data.byteSize() / dtype.bytes();
    }

    /// All elements as float32.
    ///
    /// @throws PenjingException if they are not F32, F16 or BF16, or too many for an array
    public float[] toFloats() {
        if (size() > Integer.MAX_VALUE - 8) {
            throw new PenjingException("the tensor " + name + " is too large for one array");
        }
        float[] values = new float[(int) size()];
        read(0, values, 0, values.length);
        return values;
    }

    /// `count` elements from the `from`th on, as float32.
    ///
    /// @param at where the first one goes
    /// @throws PenjingException if they are not F32, F16 or BF16
    public void read(long from, float[] into, int at, int count) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(data, FLOAT, from * Float.BYTES, into, at, count);
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    int bits = data.get(SHORT, (from + i) * Short.BYTES) << 16;
                    into[at + i] = Float.intBitsToFloat(bits);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    short bits = data.get(SHORT, (from + i) * Short.BYTES);
                    into[at + i] = Float.float16ToFloat(bits);
                }
            }
            default ->
                    throw new PenjingException(
                            "the tensor %s is stored as %s: weights must be F32, F16 or BF16"
                                    .formatted(name, dtype));
        }
    }

    /// @param zeros whether all elements may be zero; in most matrices that says that weights were
    ///   never loaded
    /// @throws PenjingException if an element is infinite or not a number, or all are zero that may
    ///   not be
    void checkUsable(boolean zeros) {
        boolean allZero = shape.length > 1 && !zeros;
        long count = size();
        for (long i = 0; i < count; i++) {
            int bits;
            int exponent;
            switch (dtype) {
                case F32 -> {
                    bits = Float.floatToRawIntBits(data.get(FLOAT, 4 * i)) & 0x7fffffff;
                    exponent = 0x7f800000;
                }
                case BF16 -> {
                    bits = data.get(SHORT, 2 * i) & 0x7fff;
                    exponent = 0x7f80;
                }
                case F16 -> {
                    bits = data.get(SHORT, 2 * i) & 0x7fff;
                    exponent = 0x7c00;
                }
                default ->
                        throw new PenjingException(
                                "the tensor %s is stored as %s: weights must be F32, F16 or BF16"
                                        .formatted(name, dtype));
            }
            if (bits >= exponent) {
                throw new PenjingException(
                        "the tensor %s holds a value that is not finite (element %d): the checkpoint is damaged, fetch it again"
                                .formatted(name, i));
            }
            allZero &= bits == 0;
        }
        if (allZero) {
            throw new PenjingException(
                    "the tensor "
                            + name
                            + " is all zero: the checkpoint is damaged, fetch it again");
        }
    }
}
