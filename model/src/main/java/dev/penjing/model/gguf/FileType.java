package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.quantization.BlockType;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// What the matrices of a GGUF file are stored in, as llama.cpp names and mixes it (llama.h,
/// llama_ftype; llama-quant.cpp, llama_tensor_get_type).
public enum FileType {
    F32(0, BlockType.F32),
    F16(1, BlockType.F16),
    BF16(32, BlockType.BF16),
    Q8_0(7, BlockType.Q8_0),
    Q6_K(18, BlockType.Q6_K),
    Q5_K_M(17, BlockType.Q5_K),
    Q5_K_S(16, BlockType.Q5_K),
    Q5_1(9, BlockType.Q5_1),
    Q5_0(8, BlockType.Q5_0),
    Q4_K_M(15, BlockType.Q4_K),
    Q4_K_S(14, BlockType.Q4_K),
    Q4_1(3, BlockType.Q4_1),
    IQ4_NL(25, BlockType.IQ4_NL),
    IQ4_XS(30, BlockType.IQ4_XS),
    Q4_0(2, BlockType.Q4_0);

    private final int code;
    private final BlockType base;

    FileType(int code, BlockType base) {
        this.code = code;
        this.base = base;
    }

    /// As settings name them: `q4_k_m`.
    public static List<String> names() {
        return Arrays.stream(values()).map(t -> t.name().toLowerCase(Locale.ROOT)).toList();
    }

    /// The one of a name, in capitals or not; `q4_k` and `q5_k` are their mixes `_m`.
    ///
    /// @throws UsageException if there is none of this name
    public static FileType named(String name) {
        String whole = name.matches("(?i)q[45]_k") ? name + "_m" : name; // as llama.cpp has it
        return Arrays.stream(values())
                .filter(type -> type.name().equalsIgnoreCase(whole))
                .findFirst()
                .orElseThrow(() ->
                        new UsageException(
                                "type must be one of %s, not %s"
                                        .formatted(String.join(", ", names()), name)));
    }

    /// Whether its matrices are rounded to blocks.
    public boolean blocks() {
        return base.weights() > 1;
    }

    /// Whether rounding can go by what is known of a matrix's inputs.
    public boolean calibrated() {
        return blocks() && base != BlockType.Q8_0;
    }

    /// As the file has it.
    int code() {
        return code;
    }

    /// What a tensor is stored in. Vectors stay in float32. What a file's name stands for holds for
    /// most matrices: those that decide most get more bits, and those whose rows are no whole
    /// super-blocks the next finer type that has none.
    ///
    /// @throws PenjingException if rows are no whole blocks of any kind
    public BlockType of(TensorSpec spec, ModelConfig config) {
        if (!spec.matrix()) {
            return BlockType.F32;
        }
        long columns = spec.shape()[1];
        BlockType wanted = wanted(spec, config);
        BlockType type = columns % wanted.weights() == 0 ? wanted : wanted.inSmallerBlocks();
        if (columns % type.weights() != 0) {
            throw new PenjingException(
                    "%s has rows of %d weights, which are not whole blocks of %d: prune to a multiple of %d, or write `type` f16"
                            .formatted(spec.name(), columns, type.weights(), type.weights()));
        }
        return type;
    }

    private BlockType wanted(TensorSpec spec, ModelConfig config) {
        if (!calibrated()) {
            return base;
        }
        boolean tied = config.tensors().find(Role.HEAD).isEmpty();
        if (spec.role() == Role.HEAD || spec.role() == Role.EMBEDDING && tied) {
            return this == Q4_0 ? BlockType.Q8_0 : BlockType.Q6_K;
        }
        if (spec.role() == Role.EMBEDDING) {
            return this == Q4_0 ? BlockType.Q8_0 : base;
        }
        boolean value = spec.role() == Role.VALUE;
        boolean alone = spec.first() && spec.last(); // parts of a stored tensor share its type
        if (!alone || !value && spec.role() != Role.DOWN) {
            return base;
        }
        int layer = spec.layer().orElseThrow();
        int layers = config.numHiddenLayers();
        boolean firstEighth = layer < layers / 8;
        return switch (this) {
            case Q4_K_M, Q5_K_M -> moreBits(layer, layers) ? BlockType.Q6_K : base;
            case Q4_K_S -> (value ? layer < 4 : firstEighth) ? BlockType.Q5_K : base;
            case IQ4_NL, IQ4_XS -> {
                boolean shared = config.numAttentionHeads() >= 4 * config.numKeyValueHeads();
                yield (value ? shared : firstEighth) ? BlockType.Q5_K : base;
            }
            default -> base;
        };
    }

    /// The first and the last eighth of the layers, and every third between.
    private static boolean moreBits(int layer, int layers) {
        return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
    }
}
