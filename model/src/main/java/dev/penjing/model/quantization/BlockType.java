package dev.penjing.model.quantization;

import dev.penjing.model.PenjingException;
import java.util.Arrays;
import java.util.stream.Collectors;

/// GGUF's ways to store weights: how many make a block, and how many bytes it takes.
public enum BlockType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    IQ4_NL(20, 32, 18),
    IQ4_XS(23, 256, 136),
    BF16(30, 1, 2);

    private final int code;
    private final int weights;
    private final int bytes;

    BlockType(int code, int weights, int bytes) {
        this.code = code;
        this.weights = weights;
        this.bytes = bytes;
    }

    /// In a block.
    public int weights() {
        return weights;
    }

    /// Of a block.
    public int bytes() {
        return bytes;
    }

    /// The type of blocks of 32 that loses least more than this one, for rows that are no whole
    /// super-blocks: llama.cpp's choice.
    public BlockType inSmallerBlocks() {
        return switch (this) {
            case Q4_K -> Q5_0;
            case Q5_K -> Q5_1;
            case Q6_K -> Q8_0;
            case IQ4_XS -> IQ4_NL;
            default -> this;
        };
    }

    /// As the file has it.
    public int code() {
        return code;
    }

    public static BlockType of(int code, String tensor) {
        for (BlockType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new PenjingException(
                "the tensor %s is stored in GGUF's type %d: %s can be read; quantise the model to one of these"
                        .formatted(
                                tensor,
                                code,
                                Arrays.stream(values())
                                        .map(BlockType::name)
                                        .collect(Collectors.joining(", "))));
    }
}
