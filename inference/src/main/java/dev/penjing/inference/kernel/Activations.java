package dev.penjing.inference.kernel;

/// Rows of activations, quantised to eight bits in blocks of 32 with a float32 scale, as the
/// kernels read them.
///
/// Rows go through the kernels in tiles of one, four or eight, as their number is; a tile's pairs
/// of a block follow one another, for each pair one int a row: column c in the low half and c + 4
/// in the high half, as in a lane of [PackedMatrix].
public final class Activations {
    private static final int LARGEST_TILE = 8;

    /// Up to so many rows go one by one: a tile is computed whole.
    static final int FEW = 2;

    static final int PAIRS = 16;

    final int[] pairs;
    final float[] scales;

    /// -8 x the sum of a block, in the high half: what takes the offset off four-bit weights.
    final int[] offsets;

    private final int blocks;
    private int rows;

    /// @param maxRows that are ever used at once
    public Activations(int maxRows, int columns) {
        this.blocks = PackedMatrix.padded(columns) / PackedMatrix.UNIT;
        int tiled = Math.ceilDiv(maxRows, LARGEST_TILE) * LARGEST_TILE;
        this.pairs = new int[Math.multiplyExact(tiled * PAIRS, blocks)];
        this.scales = new float[tiled * blocks];
        this.offsets = new int[tiled * blocks];
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
        return rows <= FEW ? 1 : rows <= 4 ? 4 : LARGEST_TILE;
    }

    int blocks() {
        return blocks;
    }

    /// Index into `scales` and `offsets`.
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
        offsets[index] = -8 * sum << 16;
    }
}
