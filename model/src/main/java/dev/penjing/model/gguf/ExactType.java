package dev.penjing.model.gguf;

import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.safetensors.DType;
import java.util.EnumSet;
import java.util.Set;

/// The narrowest type that holds every weight of a GGUF file exactly.
final class ExactType {
    private ExactType() {}

    /// F16 or BF16 if the file stores its matrices so, and what it stores in F32 beside them (the
    /// norms, by convention) has no more digits; else F32, which holds quantised weights too.
    static DType of(GgufFile gguf) {
        Set<BlockType> stored = EnumSet.noneOf(BlockType.class);
        for (String name : gguf.names()) {
            if (gguf.tensor(name).type() != BlockType.F32) {
                stored.add(gguf.tensor(name).type());
            }
        }
        DType half;
        if (stored.equals(EnumSet.of(BlockType.F16))) {
            half = DType.F16;
        } else if (stored.equals(EnumSet.of(BlockType.BF16))) {
            half = DType.BF16;
        } else {
            return DType.F32;
        }
        for (String name : gguf.names()) {
            GgufFile.Tensor tensor = gguf.tensor(name);
            // tables of rotary positions become part of the configuration
            boolean wide = tensor.type() == BlockType.F32 && !RopeTable.NAMES.contains(name);
            if (wide && !holds(half, tensor.toFloats())) {
                return DType.F32;
            }
        }
        return half;
    }

    private static boolean holds(DType half, float[] values) {
        for (float value : values) {
            boolean exact =
                    half == DType.BF16
                            ? (Float.floatToRawIntBits(value) & 0xffff) == 0
                            : Float.float16ToFloat(Float.floatToFloat16(value)) == value;
            if (!exact) {
                return false;
            }
        }
        return true;
    }
}
