package dev.penjing.inference.kernel;

import static dev.penjing.inference.kernel.PackedMatrix.INT;
import static dev.penjing.inference.kernel.PackedMatrix.SHORT;

import dev.penjing.model.gguf.BlockType;
import dev.penjing.model.gguf.Quantizer;
import java.lang.foreign.MemorySegment;

/// Eight bits, -127 to 127, times the scale: 8.5 bits a weight. A lane holds four columns: n, n +
/// 1, n + 4 and n + 5 of eight, for n = 0 and 2 in turn.
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
            int n = from + v / 2 * 8 + v % 2 * 2;
            int packed =
                    quants[n] & 0xff
                            | (quants[n + 1] & 0xff) << 8
                            | (quants[n + 4] & 0xff) << 16
                            | (quants[n + 5] & 0xff) << 24;
            data.set(INT, lane + v * step, packed);
        }
    }

    @Override
    short packGguf(MemorySegment from, long at, MemorySegment data, long lane, long step) {
        for (int v = 0; v < 8; v++) {
            long n = at + 2 + v / 2 * 8 + v % 2 * 2;
            int low = from.get(SHORT, n) & 0xffff;
            data.set(INT, lane + v * step, low | from.get(SHORT, n + 4) << 16);
        }
        return from.get(SHORT, at);
    }

    @Override
    void unpack(MemorySegment data, long lane, long step, byte[] quants) {
        for (int v = 0; v < 8; v++) {
            int packed = data.get(INT, lane + v * step);
            int n = v / 2 * 8 + v % 2 * 2;
            quants[n] = (byte) packed;
            quants[n + 1] = (byte) (packed >> 8);
            quants[n + 4] = (byte) (packed >> 16);
            quants[n + 5] = (byte) (packed >> 24);
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
            Activations x,
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
            Activations x,
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
            Activations x,
            int pairAt,
            int blockAt,
            float[] sums) {
        EightFloatRows.q8(data, at, blocks, x, blockAt, sums);
    }
}
