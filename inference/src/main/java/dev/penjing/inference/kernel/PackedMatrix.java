package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A quantised matrix, laid out as the kernels read it.
///
/// R = 2 x lanes rows make a group; a group's blocks of 32 columns follow one another. In a block a
/// 32-bit lane is a row: vector after vector of `lanes` lanes, for the rows r < lanes and the rows
/// above in turn, each lane with a part of its row's codes; which, its [Codes] say. Scales end the
/// block. Where there is one short a row, they are `lanes` ints, each with that of row r in its low
/// half and that of row r + lanes in its high half; two shorts of a row make an int, and the rows
/// above r < lanes follow in a second vector. A super-block begins with its own shorts in the same
/// form.
///
/// Rows are padded with zeros to a multiple of 32, columns too.
public final class PackedMatrix {
    /// Rows that one thread works on at least, and columns of a block.
    public static final int UNIT = 32;

    /// Where a matrix may start: at a line of the cache.
    public static final int ALIGNMENT = 64;

    static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final WeightFormat format;
    private final int rows;
    private final int columns;
    private final int lanes;
    private final long groupBytes;
    private final int headBytes;
    private final MemorySegment data;

    /// A matrix of zeros.
    ///
    /// @param lanes 32-bit lanes of the kernel's vectors
    /// @param memory where it gets its own from, set to zeros
    public PackedMatrix(
            WeightFormat format, int rows, int columns, int lanes, SegmentAllocator memory) {
        this.format = format;
        this.rows = padded(rows);
        this.columns = padded(columns);
        if (format.scales().inSuperBlocks() && blocks() % Scales.BLOCKS != 0) {
            throw new IllegalArgumentException(
                    "%d columns are no whole super-blocks of %s".formatted(columns, format));
        }
        this.lanes = lanes;
        this.groupBytes = bytes(format, UNIT, columns) / UNIT * groupRows();
        this.headBytes = groupRows() * format.headBytes();
        this.data = memory.allocate(bytes(format, rows, columns), ALIGNMENT);
    }

    /// What such a matrix takes: a multiple of [#ALIGNMENT].
    public static long bytes(WeightFormat format, int rows, int columns) {
        long blocks = padded(columns) / UNIT;
        long heads = blocks / Scales.BLOCKS * format.headBytes();
        return padded(rows) * (blocks * format.blockBytes() + heads);
    }

    /// The next multiple of 32.
    public static int padded(int n) {
        return Math.ceilDiv(n, UNIT) * UNIT;
    }

    public WeightFormat format() {
        return format;
    }

    /// Padding counted.
    public int rows() {
        return rows;
    }

    /// Padding counted.
    public int columns() {
        return columns;
    }

    public long bytes() {
        return data.byteSize();
    }

    /// Blocks of a row.
    public int blocks() {
        return columns / UNIT;
    }

    public int groupRows() {
        return 2 * lanes;
    }

    public MemorySegment data() {
        return data;
    }

    /// Bytes of a group's block.
    public int groupBlockBytes() {
        return groupRows() * format.blockBytes();
    }

    /// Bytes of a group.
    public long groupBytes() {
        return groupBytes;
    }

    /// Where the block of a group starts that holds `row` and column 32 x `block`; a super-block's
    /// first block starts with its head.
    public long offset(int row, int block) {
        long heads = Math.ceilDiv(block, Scales.BLOCKS) * (long) headBytes;
        return row / groupRows() * groupBytes + (long) block * groupBlockBytes() + heads;
    }

    /// Where a super-block's head lies.
    private long headOffset(int row, int block) {
        return offset(row, block / Scales.BLOCKS * Scales.BLOCKS);
    }

    /// Where a block's lanes start.
    private long lanesOffset(int row, int block) {
        boolean first = block % Scales.BLOCKS == 0;
        return offset(row, block) + (first ? headBytes : 0);
    }

    /// Where a row's 16 bits lie among those of its group.
    private long shortAt(int row, int shorts) {
        int inGroup = row % groupRows();
        int half = inGroup / lanes;
        return inGroup % lanes * 4L + (shorts == 2 ? half * lanes * 4L : half * 2L);
    }

    private long scalesOffset(int row, int block) {
        return lanesOffset(row, block)
                + (long) groupRows() * 4 * format.codes().bits()
                + shortAt(row, format.scales().shorts());
    }

    /// Where the first lane of `row` lies in a block; the next one is [#laneStep] behind.
    private long laneOffset(int row, int block) {
        int inGroup = row % groupRows();
        return lanesOffset(row, block) + (long) inGroup / lanes * lanes * 4 + inGroup % lanes * 4L;
    }

    private long laneStep() {
        return 8L * lanes;
    }

    /// Sets 32 weights of a row.
    ///
    /// @param quants from `at` on, as [WeightFormat#quantize] makes them
    /// @param scale a float16's bits
    public void set(int row, int block, byte[] quants, int at, short scale) {
        Block to = new Block();
        to.scale = scale;
        for (int i = 0; i < UNIT; i++) {
            to.code(i, quants[at + i] + format.offset());
        }
        set(row, block, to);
    }

    /// Sets 32 weights of a row; of a super-block all have the same float16 numbers.
    public void set(int row, int block, Block from) {
        format.codes().pack(from.words, data, laneOffset(row, block), laneStep());
        Scales scales = format.scales();
        long at = scalesOffset(row, block);
        if (!scales.inSuperBlocks()) {
            halves(at, scales.shorts(), from);
            return;
        }
        halves(
                headOffset(row, block) + shortAt(row, scales.headShorts()),
                scales.headShorts(),
                from);
        int both = scales == Scales.SUPER ? from.first : from.first & 0xff | from.second << 8;
        data.set(SHORT, at, (short) both);
    }

    private void halves(long at, int count, Block from) {
        data.set(SHORT, at, from.scale);
        if (count == 2) {
            data.set(SHORT, at + 2, from.minimum);
        }
    }

    /// Sets a row from the blocks of a GGUF file of this format, exactly.
    ///
    /// @param count blocks of 32 weights
    /// @return whether all scales are finite
    public boolean setGguf(int row, MemorySegment from, long at, int count) {
        if (format.scales() == Scales.HALF && format.codes() != Codes.FIVES) {
            return copyGguf(row, from, at, count);
        }
        boolean finite = true;
        int parts = format.blockType().weights() / UNIT;
        int bytes = format.blockType().bytes();
        Block block = new Block();
        for (int i = 0; i < count; i++) {
            GgufBlocks.read(format, from, at + (long) (i / parts) * bytes, i % parts, block);
            finite &= block.isFinite();
            set(row, i, block);
        }
        return finite;
    }

    /// The same where GGUF's block is a scale and then lanes as they are here: it need not be taken
    /// apart. A model of 1.1 billion parameters loads a second of processor time sooner.
    private boolean copyGguf(int row, MemorySegment from, long at, int count) {
        boolean finite = true;
        for (int i = 0; i < count; i++) {
            long block = at + (long) i * format.blockType().bytes();
            long lane = laneOffset(row, i);
            for (int v = 0; v < format.codes().bits(); v++) {
                data.set(INT, lane + v * laneStep(), from.get(INT, block + 2 + 4L * v));
            }
            short scale = from.get(SHORT, block);
            finite &= (scale & 0x7c00) != 0x7c00;
            data.set(SHORT, scalesOffset(row, i), scale);
        }
        return finite;
    }

    /// The block as it was set.
    void get(int row, int block, Block to) {
        format.codes().unpack(data, laneOffset(row, block), laneStep(), to.words);
        Scales scales = format.scales();
        long at = scalesOffset(row, block);
        if (scales.inSuperBlocks()) {
            int both = data.get(SHORT, at);
            boolean signed = scales == Scales.SUPER_SIXTEENS;
            to.first = scales == Scales.SUPER ? both : signed ? (byte) both : both & 0xff;
            to.second = signed ? both >> 8 : both >>> 8 & 0xff;
            at = headOffset(row, block) + shortAt(row, scales.headShorts());
        }
        to.scale = data.get(SHORT, at);
        to.minimum = scales.minimum() ? data.get(SHORT, at + 2) : 0;
    }

    /// The first `count` weights of a row, from `at` on.
    public void row(int row, float[] to, int at, int count) {
        Block block = new Block();
        int part = UNIT / format.scales().parts();
        for (int column = 0; column < count; column += UNIT) {
            get(row, column / UNIT, block);
            float minimum = block.minimum();
            for (int i = 0; i < Math.min(UNIT, count - column); i++) {
                int number = format.number(block.code(i));
                to[at + column + i] = number * block.scale(i / part) - minimum;
            }
        }
    }
}
