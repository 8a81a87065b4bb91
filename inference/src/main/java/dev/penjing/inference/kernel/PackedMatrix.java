package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A quantised matrix, laid out as the kernels read it.
///
/// R = 2 x lanes rows make a group; a group's blocks of 32 columns follow one another. In a block a
/// 32-bit lane is a row: vector after vector of `lanes` lanes, for the rows r < lanes and the rows
/// above in turn, each lane with the next few columns of its row; which ones, its [WeightFormat]
/// says. The group's scales end the block: `lanes` ints, each with the float16 scale of row r in
/// its low half and that of row r + lanes in its high half.
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
        this.lanes = lanes;
        this.data = memory.allocate(bytes(format, rows, columns), ALIGNMENT);
    }

    /// What such a matrix takes: a multiple of [#ALIGNMENT].
    public static long bytes(WeightFormat format, int rows, int columns) {
        return (long) padded(rows) * (padded(columns) / UNIT) * format.blockBytes();
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

    /// Where the block of a group starts that holds `row` and column 32 x `block`.
    public long offset(int row, int block) {
        return ((long) (row / groupRows()) * blocks() + block) * groupBlockBytes();
    }

    private long scaleOffset(int row, int block) {
        int inGroup = row % groupRows();
        return offset(row, block)
                + (long) groupRows() * 4 * format.bits()
                + inGroup % lanes * 4L
                + inGroup / lanes * 2L;
    }

    /// Where the first lane of `row` lies in a block; the next one is [#laneStep] behind.
    private long laneOffset(int row, int block) {
        int inGroup = row % groupRows();
        return offset(row, block) + (long) inGroup / lanes * lanes * 4 + inGroup % lanes * 4L;
    }

    private long laneStep() {
        return 8L * lanes;
    }

    /// Sets 32 weights of a row.
    ///
    /// @param quants from `at` on, as [WeightFormat#quantize] makes them
    /// @param scale a float16's bits
    public void set(int row, int block, byte[] quants, int at, short scale) {
        data.set(SHORT, scaleOffset(row, block), scale);
        format.pack(quants, at, data, laneOffset(row, block), laneStep());
    }

    /// Sets a row from the blocks of a GGUF file of this format, exactly.
    ///
    /// @param count blocks
    /// @return whether all scales are finite
    public boolean setGguf(int row, MemorySegment from, long at, int count) {
        boolean finite = true;
        for (int block = 0; block < count; block++) {
            long source = at + (long) block * format.blockType().bytes();
            short scale = format.packGguf(from, source, data, laneOffset(row, block), laneStep());
            finite &= (scale & 0x7c00) != 0x7c00;
            data.set(SHORT, scaleOffset(row, block), scale);
        }
        return finite;
    }

    /// The block as it was set.
    void get(int row, int block, byte[] quants) {
        format.unpack(data, laneOffset(row, block), laneStep(), quants);
    }

    float scale(int row, int block) {
        return Float.float16ToFloat(data.get(SHORT, scaleOffset(row, block)));
    }

    /// The first `count` weights of a row, from `at` on.
    public void row(int row, float[] to, int at, int count) {
        byte[] quants = new byte[UNIT];
        for (int column = 0; column < count; column += UNIT) {
            get(row, column / UNIT, quants);
            float scale = scale(row, column / UNIT);
            for (int i = 0; i < Math.min(UNIT, count - column); i++) {
                to[at + column + i] = quants[i] * scale;
            }
        }
    }
}
