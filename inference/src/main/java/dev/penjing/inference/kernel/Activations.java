package dev.penjing.inference.kernel;

/// Rows of activations, quantised to eight bits in blocks of 32 with a float32 scale, as the
/// kernels read them.
///
/// Rows go through the kernels in tiles of one, four or eight, as their number is. A tile's blocks
/// follow one another, in each its rows, of each row 16 pairs of columns: column c in the low half
/// of an int and c + 4 in the high half, as in a lane of [PackedMatrix].
public final class Activations {
    private static final int LARGEST_TILE = 8;

    /// Up to so many rows go one by one: a tile is computed whole.
    static final int FEW = 2;

    static final int PAIRS = 16;

    final int[] pairs;

    /// The same pairs as kernels of four-bit weights take them: in each eight columns, every number
    /// minus 16 times the number before it. [OneToken#q4] says why.
    final int[] steps;

    final float[] scales;

    /// -8 x the sum of a block, in the high half: what takes the offset off four-bit weights.
    final int[] offsets;

    /// The same numbers as floats, for each row and block 32, in the order of `scales`; empty if
    /// not asked for.
    final float[] wholes;

    private final int blocks;
    private int rows;

    /// Of two, the power that is the rows of a tile.
    private int shift;

    /// @param maxRows that are ever used at once
    /// @param floats whether to keep them as floats too: five rows or more times eight-bit weights
    ///   are faster for it
    public Activations(int maxRows, int columns, boolean floats) {
        this.blocks = PackedMatrix.padded(columns) / PackedMatrix.UNIT;
        int tiled = Math.ceilDiv(maxRows, LARGEST_TILE) * LARGEST_TILE;
        this.pairs = new int[Math.multiplyExact(tiled * PAIRS, blocks)];
        this.steps = new int[pairs.length];
        this.wholes = new float[floats ? pairs.length * 2 : 0];
        this.scales = new float[tiled * blocks];
        this.offsets = new int[tiled * blocks];
    }

    /// How many rows the next product takes. Rows that fill up the last tile are computed with
    /// whatever is there, and thrown away.
    public void setRows(int rows) {
        this.rows = rows;
        this.shift = rows <= FEW ? 0 : rows <= 4 ? 2 : 3;
    }

    int rows() {
        return rows;
    }

    int tile() {
        return 1 << shift;
    }

    int blocks() {
        return blocks;
    }

    /// Index into `scales` and `offsets`. The row's next block is `tile()` further.
    int blockIndex(int row, int block) {
        return (((row >> shift) * blocks + block) << shift) + (row & tile() - 1);
    }

    /// Index into `pairs` and `steps` of the first of 16.
    int pairIndex(int row, int block) {
        return blockIndex(row, block) * PAIRS;
    }

    /// Sets a block.
    ///
    /// @param quants 32 of -127 to 127
    void set(int row, int block, int[] quants, float scale) {
        int at = pairIndex(row, block);
        int sum = 0;
        for (int p = 0; p < PAIRS; p++) {
            int column = p / 4 * 8 + p % 4;
            int low = quants[column];
            int high = quants[column + 4];
            pairs[at + p] = low & 0xffff | high << 16;
            int beforeLow = p % 4 == 0 ? 0 : quants[column - 1];
            steps[at + p] = low - 16 * beforeLow & 0xffff | high - 16 * quants[column + 3] << 16;
            sum += low + high;
        }
        int index = blockIndex(row, block);
        for (int i = 0; i < PackedMatrix.UNIT && wholes.length > 0; i++) {
            wholes[index * PackedMatrix.UNIT + i] = quants[i];
        }
        scales[index] = scale;
        offsets[index] = -8 * sum << 16;
    }
}
