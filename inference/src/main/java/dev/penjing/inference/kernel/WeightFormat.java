package dev.penjing.inference.kernel;

import dev.penjing.model.UsageException;
import dev.penjing.model.quantization.BlockType;
import dev.penjing.model.quantization.CodeTable;
import dev.penjing.model.quantization.Quantizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A weight format: how the weights of a [PackedMatrix] are stored and multiplied, as they are in a
/// GGUF file of the same name (ggml-common.h). A format cuts a row into blocks of 32 columns; a
/// weight's code stands for a whole number, and the [Scales] of its block make the weight of it.
///
/// A new format is a constant here and, if it stores its codes in another way than these,
/// [GgufBlocks] and the kernels' unpacking. They stand in the order of what they lose, the coarsest
/// first.
public enum WeightFormat {
    /// 4.5 bits a weight: -8 to 7.
    Q4_0(BlockType.Q4_0, Codes.NIBBLES, 8, Scales.HALF),

    /// 4.56 bits a weight: codes of an uneven table.
    IQ4_XS(BlockType.IQ4_XS, Codes.NIBBLES, 0, Scales.SUPER),

    /// 4.5 bits a weight: codes of an uneven table.
    IQ4_NL(BlockType.IQ4_NL, Codes.NIBBLES, 0, Scales.HALF),

    /// 5 bits a weight: 0 to 15.
    Q4_1(BlockType.Q4_1, Codes.NIBBLES, 0, Scales.HALF_MINIMUM),

    /// 4.625 bits a weight: 0 to 15.
    Q4_K(BlockType.Q4_K, Codes.NIBBLES, 0, Scales.SUPER_MINIMUM),

    /// 5.5 bits a weight: -16 to 15.
    Q5_0(BlockType.Q5_0, Codes.FIVES, 16, Scales.HALF),

    /// 6 bits a weight: 0 to 31.
    Q5_1(BlockType.Q5_1, Codes.FIVES, 0, Scales.HALF_MINIMUM),

    /// 5.625 bits a weight: 0 to 31.
    Q5_K(BlockType.Q5_K, Codes.FIVES, 0, Scales.SUPER_MINIMUM),

    /// 6.5625 bits a weight: -32 to 31.
    Q6_K(BlockType.Q6_K, Codes.SIXES, 32, Scales.SUPER_SIXTEENS),

    /// 8.5 bits a weight: -127 to 127.
    Q8_0(BlockType.Q8_0, Codes.BYTES, 0, Scales.HALF);

    /// Weights can be rounded to these while a model is loaded; the others are read from files.
    private static final List<WeightFormat> ROUNDED = List.of(Q4_0, Q8_0);

    private final BlockType blockType;
    private final Codes codes;
    private final int offset;
    private final Scales scales;

    WeightFormat(BlockType blockType, Codes codes, int offset, Scales scales) {
        this.blockType = blockType;
        this.codes = codes;
        this.offset = offset;
        this.scales = scales;
    }

    /// All formats, the coarsest first.
    public static List<WeightFormat> all() {
        return List.of(values());
    }

    /// The format that loses least.
    public static WeightFormat finest() {
        return Q8_0;
    }

    /// What settings call the formats that weights can be rounded to: `q4_0`, `q8_0`.
    public static List<String> names() {
        return ROUNDED.stream().map(format -> format.name().toLowerCase(Locale.ROOT)).toList();
    }

    /// The format of one of [#names], in capitals or not.
    ///
    /// @throws UsageException if there is none of this name
    public static WeightFormat named(String name) {
        return ROUNDED.stream()
                .filter(format -> format.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() ->
                        new UsageException(
                                "quantization must be %s, not %s"
                                        .formatted(String.join(" or ", names()), name)));
    }

    /// The format in which a tensor of a GGUF file is computed with the least loss: its own, or the
    /// finest.
    public static WeightFormat nearest(BlockType type) {
        return Arrays.stream(values())
                .filter(format -> format.blockType == type)
                .findFirst()
                .orElse(finest());
    }

    /// GGUF's type of the same numbers: blocks of it are packed as they are.
    public BlockType blockType() {
        return blockType;
    }

    public Codes codes() {
        return codes;
    }

    public Scales scales() {
        return scales;
    }

    /// Whether codes are numbers of an uneven table.
    public boolean hasTable() {
        return this == IQ4_NL || this == IQ4_XS;
    }

    /// What a code is larger by than its number, where there is no table.
    public int offset() {
        return offset;
    }

    /// The whole number that a code stands for.
    int number(int code) {
        return hasTable()
                ? CodeTable.number(code)
                : codes == Codes.BYTES ? (byte) code : code - offset;
    }

    /// Bytes of 32 weights of one row with their scales.
    int blockBytes() {
        return 4 * codes.bits() + 2 * scales.shorts();
    }

    /// Bytes at the head of a row's super-block.
    int headBytes() {
        return 2 * scales.headShorts();
    }

    /// Rounds 32 weights, as ggml does.
    ///
    /// @param weights from `at` on
    /// @param quants gets 32 numbers
    /// @return the scale's float16 bits
    /// @throws IllegalStateException if weights cannot be rounded to this format here
    public short quantize(float[] weights, int at, byte[] quants) {
        return switch (this) {
            case Q4_0 -> Quantizer.q4(weights, at, quants);
            case Q8_0 -> Quantizer.q8(weights, at, quants);
            default -> throw new IllegalStateException(this + " is read from files");
        };
    }
}
