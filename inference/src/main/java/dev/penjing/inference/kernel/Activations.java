package dev.penjing.inference.kernel;

import java.util.Arrays;

/// Rows of activations, quantised to eight bits in blocks of 32 with a float32 scale, as kernels
/// read them: [Kernels#activations] makes those that its products take.
///
/// Rows go through the kernels in tiles. A tile's blocks follow one another, and in each block its
/// rows.
public abstract class Activations {
    private final int blocks;
    private int rows;
    private int tile = 1;

    Activations(int columns) {
        this.blocks = PackedMatrix.padded(columns) / PackedMatrix.UNIT;
    }

    /// How many rows the next product takes. Rows that fill up the last tile are computed with
    /// whatever is there, and thrown away.
    public final void setRows(int rows) {
        this.rows = rows;
        this.tile = tileOf(rows);
    }

    /// Rows that go through the kernels at once.
    abstract int tileOf(int rows);

    public final int rows() {
        return rows;
    }

    /// Rows of a tile.
    public final int tile() {
        return tile;
    }

    /// Blocks of a row.
    public final int blocks() {
        return blocks;
    }

    /// The number of a row's block, in the order of memory. The row's next block is `tile()`
    /// further.
    final int blockIndex(int row, int block) {
        return (row / tile * blocks + block) * tile + row % tile;
    }

    /// Sets a block.
    ///
    /// @param quants 32 of -127 to 127
    abstract void set(int row, int block, int[] quants, float scale);

    /// The block as it was set.
    abstract void get(int row, int block, byte[] quants);

    abstract float scale(int row, int block);

    /// Of the block's numbers.
    abstract int sum(int row, int block);

    /// Whether the first rows hold the same numbers as others, whatever form they have.
    public final boolean isSame(Activations others, int count) {
        byte[] ours = new byte[PackedMatrix.UNIT];
        byte[] theirs = new byte[PackedMatrix.UNIT];
        for (int row = 0; row < count; row++) {
            for (int block = 0; block < blocks; block++) {
                get(row, block, ours);
                others.get(row, block, theirs);
                if (!Arrays.equals(ours, theirs)
                        || Float.compare(scale(row, block), others.scale(row, block)) != 0
                        || sum(row, block) != others.sum(row, block)) {
                    return false;
                }
            }
        }
        return true;
    }
}
