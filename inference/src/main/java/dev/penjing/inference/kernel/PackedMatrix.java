package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A quantised matrix, laid out as the kernels read it.
///
/// R = 2 x lanes rows make a group; a group's blocks of 32 columns follow one another. In a block a
/// 32-bit lane is a row: vector after vector of `lanes` lanes, for the rows r < lanes and the rows
/// above in turn, each lane with the next few columns of its row. With [Quantization#Q4_0] a lane
/// holds eight columns, of which 0 to 3 are the nibbles of its low half and 4 to 7 those of its
/// high half; with [Quantization#Q8_0] it holds four, n, n + 1, n + 4, n + 5 for n = 0 and 2 of the
/// eight in turn. The group's scales end the block: `lanes` ints, each with the float16 scale of
/// row r in its low half and that of row r + lanes in its high half.
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

    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Quantization quantization;
    private final int rows;
    private final int columns;
    private final int lanes;
    private final MemorySegment data;

    /// A matrix of zeros.
    ///
    /// @param lanes 32-bit lanes of the kernel's vectors
    /// @param memory where it gets its own from, set to zeros
    public PackedMatrix(
            Quantization quantization, int rows, int columns, int lanes, SegmentAllocator memory) {
        this.quantization = quantization;
        this.rows = padded(rows);
        this.columns = padded(columns);
        this.lanes = lanes;
        this.data = memory.allocate(bytes(quantization, rows, columns), ALIGNMENT);
    }

    /// What such a matrix takes: a multiple of [#ALIGNMENT].
    public static long bytes(Quantization quantization, int rows, int columns) {
        return (long) padded(rows) * (padded(columns) / UNIT) * quantization.blockBytes();
    }

    /// The next multiple of 32.
    public static int padded(int n) {
        return Math.ceilDiv(n, UNIT) * UNIT;
    }

    public Quantization quantization() {
        return quantization;
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

    int blocks() {
        return columns / UNIT;
    }

    int groupRows() {
        return 2 * lanes;
    }

    MemorySegment data() {
        return data;
    }

    /// Bytes of a group's block.
    int groupBlockBytes() {
        return groupRows() * quantization.blockBytes();
    }

    /// Where the block of a group starts that holds `row` and column 32 x `block`.
    long offset(int row, int block) {
        return ((long) (row / groupRows()) * blocks() + block) * groupBlockBytes();
    }

    private long scaleOffset(int row, int block) {
        int inGroup = row % groupRows();
        return offset(row, block)
                + (long) groupRows() * 4 * quantization.bits()
                + inGroup % lanes * 4L
                + inGroup / lanes * 2L;
    }

    /// Where the lane lies that holds `row` in the vectors number `vector` of a block.
    private long laneOffset(int row, int block, int vector) {
        int inGroup = row % groupRows();
        return offset(row, block)
                + ((long) vector * 2 + inGroup / lanes) * lanes * 4
                + inGroup % lanes * 4L;
    }

    /// Sets 32 weights of a row.
    ///
    /// @param quants from `at` on: -8 to 7 for Q4_0, -127 to 127 for Q8_0
    /// @param scale a float16's bits
    public void set(int row, int block, byte[] quants, int at, short scale) {
        data.set(SHORT, scaleOffset(row, block), scale);
        switch (quantization) {
            case Q4_0 -> {
                for (int v = 0; v < 4; v++) {
                    int lane = 0;
                    for (int i = 0; i < 8; i++) {
                        lane |= (quants[at + 8 * v + i] + 8 & 15) << 4 * i;
                    }
                    data.set(INT, laneOffset(row, block, v), lane);
                }
            }
            case Q8_0 -> {
                for (int v = 0; v < 8; v++) {
                    int n = at + v / 2 * 8 + v % 2 * 2;
                    int lane =
                            quants[n] & 0xff
                                    | (quants[n + 1] & 0xff) << 8
                                    | (quants[n + 4] & 0xff) << 16
                                    | (quants[n + 5] & 0xff) << 24;
                    data.set(INT, laneOffset(row, block, v), lane);
                }
            }
        }
    }

    /// Sets a row from the blocks of a GGUF file of this quantization, exactly.
    ///
    /// @param count blocks
    /// @return whether all scales are finite
    public boolean setGguf(int row, MemorySegment from, long at, int count) {
        int bytes = quantization == Quantization.Q4_0 ? 18 : 34;
        boolean finite = true;
        for (int block = 0; block < count; block++) {
            long source = at + (long) block * bytes;
            short scale = from.get(SHORT, source);
            finite &= (scale & 0x7c00) != 0x7c00;
            data.set(SHORT, scaleOffset(row, block), scale);
            long to = laneOffset(row, block, 0);
            long step = 8L * lanes;
            if (quantization == Quantization.Q4_0) {
                // byte i holds column i in its low nibble and column i + 16 in its high one
                long first = from.get(LONG, source + 2);
                long second = from.get(LONG, source + 10);
                data.set(INT, to, nibbles(first));
                data.set(INT, to + step, nibbles(second));
                data.set(INT, to + 2 * step, nibbles(first >>> 4));
                data.set(INT, to + 3 * step, nibbles(second >>> 4));
            } else {
                for (int v = 0; v < 8; v++) {
                    long n = source + 2 + v / 2 * 8 + v % 2 * 2;
                    int low = from.get(SHORT, n) & 0xffff;
                    data.set(INT, to + v * step, low | from.get(SHORT, n + 4) << 16);
                }
            }
        }
        return finite;
    }

    /// The low nibbles of eight bytes, side by side.
    private static int nibbles(long bytes) {
        long t = bytes & 0x0f0f0f0f0f0f0f0fL;
        t = (t | t >>> 4) & 0x00ff00ff00ff00ffL;
        t = (t | t >>> 8) & 0x0000ffff0000ffffL;
        return (int) (t | t >>> 16);
    }

    /// The block as it was set.
    void get(int row, int block, byte[] quants) {
        switch (quantization) {
            case Q4_0 -> {
                for (int v = 0; v < 4; v++) {
                    int lane = data.get(INT, laneOffset(row, block, v));
                    for (int i = 0; i < 8; i++) {
                        quants[8 * v + i] = (byte) ((lane >>> 4 * i & 15) - 8);
                    }
                }
            }
            case Q8_0 -> {
                for (int v = 0; v < 8; v++) {
                    int lane = data.get(INT, laneOffset(row, block, v));
                    int n = v / 2 * 8 + v % 2 * 2;
                    quants[n] = (byte) lane;
                    quants[n + 1] = (byte) (lane >> 8);
                    quants[n + 4] = (byte) (lane >> 16);
                    quants[n + 5] = (byte) (lane >> 24);
                }
            }
        }
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
