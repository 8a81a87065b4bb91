package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;
import static dev.penjing.inference.kernel.PackedMatrix.SHORT;

import dev.penjing.model.gguf.BlockType;
import dev.penjing.model.gguf.Quantizer;
import java.lang.foreign.MemorySegment;

/// Eight bits, -127 to 127, times the scale: 8.5 bits a weight. Lane v holds columns 4 v to 4 v +
/// 3, a byte each, as GGUF has them.
public final class Q8_0 extends WeightFormat {
    public static final Q8_0 FORMAT = new Q8_0();

    private Q8_0() {
        super(BlockType.Q8_0, 8);
    }

    @Override
    public short quantize(float[] weights, int at, byte[] quants) {
        return Quantizer.q8(weights, at, quants);
    }

    @Override
    void pack(byte[] quants, int from, MemorySegment data, long lane, long step) {
        for (int v = 0; v < 8; v++) {
            int packed = 0;
            for (int i = 0; i < 4; i++) {
                packed |= (quants[from + 4 * v + i] & 0xff) << 8 * i;
            }
            data.set(INT, lane + v * step, packed);
        }
    }

    @Override
    short packGguf(MemorySegment from, long at, MemorySegment data, long lane, long step) {
        for (int v = 0; v < 8; v++) {
            data.set(INT, lane + v * step, from.get(INT, at + 2 + 4L * v));
        }
        return from.get(SHORT, at);
    }

    @Override
    void unpack(MemorySegment data, long lane, long step, byte[] quants) {
        for (int v = 0; v < 8; v++) {
            int packed = data.get(INT, lane + v * step);
            for (int i = 0; i < 4; i++) {
                quants[4 * v + i] = (byte) (packed >> 8 * i);
            }
        }
    }

    @Override
    boolean eightRowsReadFloats() {
        return true;
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
        OneToken.q8(data, at, blocks, x, first, y, yAt);
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
        FourRows.q8(data, at, blocks, x, pairAt, blockAt, step, sums);
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
        EightFloatRows.q8(data, at, blocks, x, blockAt, sums);
    }
}
