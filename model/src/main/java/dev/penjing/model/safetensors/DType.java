package dev.penjing.model.safetensors;

/// The element types of safetensors that we know, by their names there. Weights are computed from
/// F32, F16 and BF16 alone.
public enum DType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    F8_E4M3(1),
    F8_E5M2(1),
    F8_E8M0(1),
    BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /// Of one element.
    public int bytes() {
        return bytes;
    }
}
