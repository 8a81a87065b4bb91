package dev.penjing.inference.kernel;

/// What turns the whole numbers of a block into weights, and how it is stored. A super-block is
/// eight blocks of a row, 256 columns.
public enum Scales {
    /// A float16 for each block.
    HALF(false, false, 1, 0, 1),

    /// A float16 to multiply by and one to take away, for each block.
    HALF_MINIMUM(true, false, 2, 0, 1),

    /// For each super-block a float16 that multiplies the scales of its blocks, whole numbers
    /// without sign, and one that multiplies what they take away.
    SUPER_MINIMUM(true, true, 1, 2, 1),

    /// For each super-block a float16 that multiplies two scales of each block, bytes with sign,
    /// the second of which is that of its last sixteen columns.
    SUPER_SIXTEENS(false, true, 1, 1, 2),

    /// For each super-block a float16 that multiplies its blocks' scales, numbers with sign.
    SUPER(false, true, 1, 1, 1);

    /// Blocks of a super-block.
    public static final int BLOCKS = 8;

    private final boolean minimum;
    private final boolean inSuperBlocks;
    private final int shorts;
    private final int headShorts;
    private final int parts;

    Scales(boolean minimum, boolean inSuperBlocks, int shorts, int headShorts, int parts) {
        this.minimum = minimum;
        this.inSuperBlocks = inSuperBlocks;
        this.shorts = shorts;
        this.headShorts = headShorts;
        this.parts = parts;
    }

    /// Whether something is taken away from what was multiplied.
    public boolean minimum() {
        return minimum;
    }

    public boolean inSuperBlocks() {
        return inSuperBlocks;
    }

    /// Of 16 bits each, at the end of a row's block.
    public int shorts() {
        return shorts;
    }

    /// Of 16 bits each, at the head of a row's super-block.
    public int headShorts() {
        return headShorts;
    }

    /// Parts of a block, of as many columns each, that have a scale of their own.
    public int parts() {
        return parts;
    }
}
