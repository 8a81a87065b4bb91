package dev.penjing.inference.kernel;

/// Activations in 16-bit lanes, for the kernels on the Vector API: of each row and block 16 ints, a
/// column in the low half and another in the high half, as a vector of weights holds them. Tiles
/// are of one, four or eight rows.
final class LaneActivations extends Activations {
    private static final int LARGEST_TILE = 8;

    /// Up to so many rows go one by one: a tile is computed whole.
    static final int FEW = 2;

    static final int PAIRS = 16;

    /// For eight-bit weights, of which a lane holds columns 4 v to 4 v + 3: columns 4 v and 4 v +
    /// 2, then 4 v + 1 and 4 v + 3.
    final int[] pairs;

    /// For four-bit weights, of which a lane has columns in the order of its nibbles ([#column]):
    /// of each eight, first and fifth, second and sixth, and so on; every number minus 16 times the
    /// one before it. [OneToken#q4] says why.
    final int[] steps;

    final float[] scales;

    /// -8 x the sum of a block, in the high half: what takes the offset off four-bit weights.
    final int[] offsets;

    /// The same numbers as floats, for each row and block 32, in the order of `scales`; empty if
    /// not asked for.
    final float[] wholes;

    /// @param maxRows that are ever used at once
    /// @param floats whether to keep them as floats too: five rows or more times eight-bit weights
    ///   are faster for it
    LaneActivations(int maxRows, int columns, boolean floats) {
        super(columns);
        int tiled = Math.ceilDiv(maxRows, LARGEST_TILE) * LARGEST_TILE;
        this.pairs = new int[Math.multiplyExact(tiled * PAIRS, blocks())];
        this.steps = new int[pairs.length];
        this.wholes = new float[floats ? pairs.length * 2 : 0];
        this.scales = new float[tiled * blocks()];
        this.offsets = new int[tiled * blocks()];
    }

    /// The column that nibble `n` of a block belongs to, counted through its lanes.
    static int column(int n) {
        return n / 8 * 4 + n % 8 / 2 + n % 2 * 16;
    }

    @Override
    int tileOf(int rows) {
        return rows <= FEW ? 1 : rows <= 4 ? 4 : LARGEST_TILE;
    }

    /// Index into `pairs` and `steps` of the first of 16.
    int pairIndex(int row, int block) {
        return blockIndex(row, block) * PAIRS;
    }

    @Override
    void set(int row, int block, int[] quants, float scale) {
        int at = pairIndex(row, block);
        int sum = 0;
        for (int p = 0; p < PAIRS; p++) {
            int column = p / 2 * 4 + p % 2;
            pairs[at + p] = quants[column] & 0xffff | quants[column + 2] << 16;
            int n = p / 4 * 8 + p % 4;
            int low = quants[column(n)] - (p % 4 == 0 ? 0 : 16 * quants[column(n - 1)]);
            int high = quants[column(n + 4)] - 16 * quants[column(n + 3)];
            steps[at + p] = low & 0xffff | high << 16;
            sum += quants[column] + quants[column + 2];
        }
        int index = blockIndex(row, block);
        for (int i = 0; i < PackedMatrix.UNIT && wholes.length > 0; i++) {
            wholes[index * PackedMatrix.UNIT + i] = quants[i];
        }
        scales[index] = scale;
        offsets[index] = -8 * sum << 16;
    }

    @Override
    void get(int row, int block, byte[] quants) {
        int at = pairIndex(row, block);
        for (int p = 0; p < PAIRS; p++) {
            int column = p / 2 * 4 + p % 2;
            quants[column] = (byte) pairs[at + p];
            quants[column + 2] = (byte) (pairs[at + p] >> 16);
        }
    }

    @Override
    float scale(int row, int block) {
        return scales[blockIndex(row, block)];
    }

    @Override
    int sum(int row, int block) {
        return (offsets[blockIndex(row, block)] >> 16) / -8;
    }
}
