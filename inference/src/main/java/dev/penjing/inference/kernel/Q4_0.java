package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;
import static dev.penjing.inference.kernel.PackedMatrix.SHORT;

import dev.penjing.model.gguf.BlockType;
import dev.penjing.model.gguf.Quantizer;
import java.lang.foreign.MemorySegment;

/// Four bits, -8 to 7, times the scale: 4.5 bits a weight. A lane holds four bytes as GGUF has
/// them: lane v has columns 4 v to 4 v + 3 in the low nibbles of its bytes and the columns 16
/// further in the high ones, all 8 more than the weights.
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
            for (int i = 0; i < 4; i++) {
                int low = quants[from + 4 * v + i] + 8 & 15;
                int high = quants[from + 4 * v + i + 16] + 8 & 15;
                packed |= (low | high << 4) << 8 * i;
            }
            data.set(INT, lane + v * step, packed);
        }
    }

    @Override
    short packGguf(MemorySegment from, long at, MemorySegment data, long lane, long step) {
        for (int v = 0; v < 4; v++) {
            data.set(INT, lane + v * step, from.get(INT, at + 2 + 4L * v));
        }
        return from.get(SHORT, at);
    }

    @Override
    void unpack(MemorySegment data, long lane, long step, byte[] quants) {
        for (int v = 0; v < 4; v++) {
            int packed = data.get(INT, lane + v * step);
            for (int i = 0; i < 4; i++) {
                quants[4 * v + i] = (byte) ((packed >>> 8 * i & 15) - 8);
                quants[4 * v + i + 16] = (byte) ((packed >>> 8 * i + 4 & 15) - 8);
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
            LaneActivations x,
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
            LaneActivations x,
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
            LaneActivations x,
            int pairAt,
            int blockAt,
            float[] sums) {
        EightRows.q4(data, at, blocks, x, pairAt, blockAt, sums);
    }
}
