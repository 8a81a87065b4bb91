package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;
import static dev.penjing.inference.kernel.PackedMatrix.LONG;
import static dev.penjing.inference.kernel.PackedMatrix.SHORT;

import dev.penjing.model.gguf.BlockType;
import dev.penjing.model.gguf.Quantizer;
import java.lang.foreign.MemorySegment;

/// Four bits, -8 to 7, times the scale: 4.5 bits a weight. A lane holds eight columns, of which 0
/// to 3 are the nibbles of its low half and 4 to 7 those of its high half; nibbles are 8 more than
/// the weights.
public final class Q4_0 extends WeightFormat {
    public static final Q4_0 FORMAT = new Q4_0();

    private Q4_0() {
        super(BlockType.Q4_0, 4);
    }

    @Override
    public short quantize(float[] weights, int at, byte[] quants) {
        return Quantizer.q4(weights, at, quants);
    }

    @Override
    void pack(byte[] quants, int from, MemorySegment data, long lane, long step) {
        for (int v = 0; v < 4; v++) {
            int packed = 0;
            for (int i = 0; i < 8; i++) {
                packed |= (quants[from + 8 * v + i] + 8 & 15) << 4 * i;
            }
            data.set(INT, lane + v * step, packed);
        }
    }

    @Override
    short packGguf(MemorySegment from, long at, MemorySegment data, long lane, long step) {
        // byte i holds column i in its low nibble and column i + 16 in its high one
        long first = from.get(LONG, at + 2);
        long second = from.get(LONG, at + 10);
        data.set(INT, lane, nibbles(first));
        data.set(INT, lane + step, nibbles(second));
        data.set(INT, lane + 2 * step, nibbles(first >>> 4));
        data.set(INT, lane + 3 * step, nibbles(second >>> 4));
        return from.get(SHORT, at);
    }

    /// The low nibbles of eight bytes, side by side.
    private static int nibbles(long bytes) {
        long t = bytes & 0x0f0f0f0f0f0f0f0fL;
        t = (t | t >>> 4) & 0x00ff00ff00ff00ffL;
        t = (t | t >>> 8) & 0x0000ffff0000ffffL;
        return (int) (t | t >>> 16);
    }

    @Override
    void unpack(MemorySegment data, long lane, long step, byte[] quants) {
        for (int v = 0; v < 4; v++) {
            int packed = data.get(INT, lane + v * step);
            for (int i = 0; i < 8; i++) {
                quants[8 * v + i] = (byte) ((packed >>> 4 * i & 15) - 8);
            }
        }
    }

    @Override
    boolean eightRowsReadFloats() {
        return false;
    }

    @Override
    void oneRow(
            MemorySegment data,
            long at,
            int blocks,
            int blockBytes,
            Activations x,
            int first,
            float[] y,
            int yAt) {
        OneToken.q4(data, at, blocks, blockBytes, x, first, y, yAt);
    }

    @Override
    void fourRows(
            MemorySegment data,
            long at,
            int blocks,
            Activations x,
            int pairAt,
            int blockAt,
            int step,
            float[] sums) {
        FourRows.q4(data, at, blocks, x, pairAt, blockAt, step, sums);
    }

    @Override
    void eightRows(
            MemorySegment data,
            long at,
            int blocks,
            Activations x,
            int pairAt,
            int blockAt,
            float[] sums) {
        EightRows.q4(data, at, blocks, x, pairAt, blockAt, sums);
    }
}
