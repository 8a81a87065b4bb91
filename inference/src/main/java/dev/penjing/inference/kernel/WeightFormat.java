package dev.penjing.inference.kernel;

import dev.penjing.model.UsageException;
import dev.penjing.model.gguf.BlockType;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;

/// A weight format: how the weights of a [PackedMatrix] are stored and multiplied. A format cuts a
/// row into blocks of 32 columns; the weights of a block are whole numbers ("quants") that share
/// one float16 scale.
///
/// A format is one class. A new one is that class, its kernels, and its place in [#all]: settings
/// take their names from there.
public abstract sealed class WeightFormat permits Q4_0, Q8_0 {
    private final BlockType blockType;
    private final int bits;

    /// @param blockType GGUF's type of the same numbers
    /// @param bits of a weight, scale left out
    WeightFormat(BlockType blockType, int bits) {
        this.blockType = blockType;
        this.bits = bits;
    }

    /// All formats, the coarsest first.
    public static List<WeightFormat> all() {
        return List.of(Q4_0.FORMAT, Q8_0.FORMAT);
    }

    /// The format that loses least.
    public static WeightFormat finest() {
        return all().getLast();
    }

    /// What settings call the formats: `q4_0`, `q8_0`.
    public static List<String> names() {
        return all().stream().map(format -> format.name().toLowerCase(Locale.ROOT)).toList();
    }

    /// The format of a name, in capitals or not.
    ///
    /// @throws UsageException if there is none of this name
    public static WeightFormat named(String name) {
        return all().stream()
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
        return all().stream()
                .filter(format -> format.blockType == type)
                .findFirst()
                .orElse(finest());
    }

    /// As GGUF names it: `Q4_0`.
    public final String name() {
        return blockType.name();
    }

    /// GGUF's type of the same numbers: blocks of it are packed as they are.
    public final BlockType blockType() {
        return blockType;
    }

    /// Of a weight, scale left out.
    public final int bits() {
        return bits;
    }

    /// Bytes of 32 weights of one row and their scale.
    final int blockBytes() {
        return 4 * bits + 2;
    }

    /// Rounds 32 weights, as ggml does.
    ///
    /// @param weights from `at` on
    /// @param quants gets 32
    /// @return the scale's float16 bits
    public abstract short quantize(float[] weights, int at, byte[] quants);

    /// Packs 32 quants, from `from` on, into a row's lanes: the first lane is at `lane` in `data`,
    /// the next one `step` bytes behind.
    abstract void pack(byte[] quants, int from, MemorySegment data, long lane, long step);

    /// Packs the quants of a GGUF block, which starts at `at`.
    ///
    /// @return the scale's float16 bits
    abstract short packGguf(MemorySegment from, long at, MemorySegment data, long lane, long step);

    /// The reverse of [#pack].
    abstract void unpack(MemorySegment data, long lane, long step, byte[] quants);

    /// Whether [#eightRows] reads the activations as floats.
    abstract boolean eightRowsReadFloats();

    /// Vector kernel: a group of rows of weights times one row of activations.
    ///
    /// @param at where the group starts in the weights
    /// @param blockBytes of the group's blocks
    /// @param first block of the row of activations
    /// @param y sums for the group's rows, from `yAt` on, are added to what is there
    abstract void oneRow(
            MemorySegment data,
            long at,
            int blocks,
            int blockBytes,
            LaneActivations x,
            int first,
            float[] y,
            int yAt);

    /// Vector kernel: a group of rows of weights times four rows of activations.
    ///
    /// @param step rows of a tile of activations
    /// @param sums [4][rows of the group], added to
    abstract void fourRows(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int pairAt,
            int blockAt,
            int step,
            float[] sums);

    /// Vector kernel: a group of rows of weights times eight rows of activations, where there are
    /// registers for it.
    ///
    /// @param sums [8][rows of the group], added to
    abstract void eightRows(
            MemorySegment data,
            long at,
            int blocks,
            LaneActivations x,
            int pairAt,
            int blockAt,
            float[] sums);

    @Override
    public final String toString() {
        return name();
    }
}
