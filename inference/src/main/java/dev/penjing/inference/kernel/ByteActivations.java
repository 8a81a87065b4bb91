package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/// Activations as bytes outside the heap, for emitted code and for the scalar kernels.
///
/// A block of a tile of n rows is n times 32 bytes, then n float32 scales, then three ints for each
/// row: -8 times the sum of its bytes, of the first sixteen, and of the last. They take the offset
/// off weights that are stored 8, or a multiple of it, too large. Tiles are of up to [#TILE] rows,
/// as many as there are.
public final class ByteActivations extends Activations {
    /// Most rows of a tile.
    public static final int TILE = 8;

    /// Of a row's block.
    public static final int BLOCK_BYTES = PackedMatrix.UNIT + 16;

    private static final int UNIT = PackedMatrix.UNIT;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment data;

    /// @param maxRows that are ever used at once
    /// @param memory where it gets its own from
    public ByteActivations(int maxRows, int columns, SegmentAllocator memory) {
        super(columns);
        long rows = Math.ceilDiv(maxRows, TILE) * (long) TILE;
        this.data = memory.allocate(rows * blocks() * BLOCK_BYTES, PackedMatrix.ALIGNMENT);
    }

    @Override
    int tileOf(int rows) {
        return Math.clamp(rows, 1, TILE);
    }

    /// The tile that starts with `row`.
    public MemorySegment tile(int row) {
        return data.asSlice(tileBlock(row, 0), blocks() * step());
    }

    /// Bytes from a row's block to its next one.
    public long step() {
        return (long) tile() * BLOCK_BYTES;
    }

    /// Where a block lies, of all rows of the tile.
    private long tileBlock(int row, int block) {
        return ((long) (row / tile()) * blocks() + block) * step();
    }

    private long quantsOffset(int row, int block) {
        return tileBlock(row, block) + row % tile() * (long) UNIT;
    }

    private long scaleOffset(int row, int block) {
        return tileBlock(row, block) + tile() * (long) UNIT + row % tile() * 4L;
    }

    private long sumOffset(int row, int block) {
        int inTile = row % tile();
        return tileBlock(row, block) + tile() * (UNIT + 4L) + inTile * 12L;
    }

    /// Where the bytes of some blocks of a row lie, one every [#step].
    ///
    /// @throws IndexOutOfBoundsException if there are no such blocks
    public MemorySegment quants(int row, int block, int count) {
        Objects.checkIndex(row, rows());
        Objects.checkFromIndexSize(block, count, blocks());
        return data.asSlice(quantsOffset(row, block), (count - 1) * step() + UNIT);
    }

    /// Where their scales lie, one every [#step].
    public MemorySegment scales(int row, int block, int count) {
        return data.asSlice(scaleOffset(row, block), (count - 1) * step() + 4);
    }

    /// Where -8 times their sums lie, three every [#step].
    public MemorySegment sums(int row, int block, int count) {
        return data.asSlice(sumOffset(row, block), (count - 1) * step() + 12);
    }

    @Override
    void set(int row, int block, int[] quants, float scale) {
        long at = quantsOffset(row, block);
        int first = 0;
        int last = 0;
        for (int i = 0; i < UNIT; i++) {
            data.set(ValueLayout.JAVA_BYTE, at + i, (byte) quants[i]);
            first += i < UNIT / 2 ? quants[i] : 0;
            last += i < UNIT / 2 ? 0 : quants[i];
        }
        data.set(FLOAT, scaleOffset(row, block), scale);
        data.set(PackedMatrix.INT, sumOffset(row, block), -8 * (first + last));
        data.set(PackedMatrix.INT, sumOffset(row, block) + 4, -8 * first);
        data.set(PackedMatrix.INT, sumOffset(row, block) + 8, -8 * last);
    }

    @Override
    void get(int row, int block, byte[] quants) {
        long at = quantsOffset(row, block);
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, quants, 0, UNIT);
    }

    @Override
    float scale(int row, int block) {
        return data.get(FLOAT, scaleOffset(row, block));
    }

    @Override
    int sum(int row, int block) {
        return data.get(PackedMatrix.INT, sumOffset(row, block)) / -8;
    }
}
