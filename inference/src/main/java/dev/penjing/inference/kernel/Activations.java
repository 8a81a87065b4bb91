package dev.penjing.inference.kernel;

/// Rows of activations, quantised to eight bits in blocks of 32 with a float32 scale, as the
/// kernels read them.
///
/// Rows go through the kernels in tiles; a tile's pairs of a block follow one another, for each
/// pair one int a row: column c in the low half and c + 4 in the high half, as in a lane of
/// [PackedMatrix]. A few rows are tiles of one each.
public final class Activations {
    /// Rows of a tile where there are more than a few.
    static final int TILE = 4;

    /// Up to so many rows go one by one: a tile is computed whole, and its weights widened first.
    static final int FEW = 3;

    static final int PAIRS = 16;

    final int[] pairs;
    final float[] scales;

    /// 8 x the sum of a block: what the offset of four-bit weights adds.
    final int[] sums;

    private final int blocks;
    private int rows;

    /// @param maxRows that are ever used at once
    public Activations(int maxRows, int columns) {
        this.blocks = PackedMatrix.padded(columns) / PackedMatrix.UNIT;
        int tiled = Math.ceilDiv(maxRows, TILE) * TILE;
        this.pairs = new int[Math.multiplyExact(tiled * PAIRS, blocks)];
        this.scales = new float[tiled * blocks];
        this.sums = new int[tiled * blocks];
    }

    /// How many rows the next product takes. Rows that fill up the last tile are computed with
    /// whatever is there, and thrown away.
    public void setRows(int rows) {
        this.rows = rows;
    }

    int rows() {
        return rows;
    }

    int tile() {
        return rows <= FEW ? 1 : TILE;
    }

    int blocks() {
        return blocks;
    }

    /// Index into `scales` and `sums`.
    int blockIndex(int row, int block) {
        int tile = tile();
        return (row / tile * blocks + block) * tile + row % tile;
    }

    /// Index into `pairs` of the first of 16, which lie `tile()` apart.
    int pairIndex(int row, int block) {
        int tile = tile();
        return (row / tile * blocks + block) * PAIRS * tile + row % tile;
    }

    /// Sets a block.
    ///
    /// @param quants 32 of -127 to 127
    void set(int row, int block, int[] quants, float scale) {
        int at = pairIndex(row, block);
        int step = tile();
        int sum = 0;
        for (int p = 0; p < PAIRS; p++) {
            int column = p / 4 * 8 + p % 4;
            int low = quants[column];
            int high = quants[column + 4];
            pairs[at + p * step] = low & 0xffff | high << 16;
            sum += low + high;
        }
        int index = blockIndex(row, block);
        scales[index] = scale;
        sums[index] = 8 * sum;
    }
}
