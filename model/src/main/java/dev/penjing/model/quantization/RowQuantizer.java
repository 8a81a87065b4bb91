package dev.penjing.model.quantization;

import java.nio.ByteBuffer;

/// Rounds the rows of a matrix to blocks, one row at a time. Thread-safe.
public final class RowQuantizer {
    private final BlockType type;
    private final InputSums inputs;

    /// @param inputs of the matrix: what is known of the columns
    public RowQuantizer(BlockType type, InputSums inputs) {
        this.type = type;
        this.inputs = inputs;
    }

    /// Appends a row's blocks; eight bits are rounded as ggml's reference code does. Where the sums
    /// of the inputs say how columns go together, what rounding a column costs is taken up by the
    /// columns behind it (Frantar and others 2022, "GPTQ", algorithm 1), with the scales of a block
    /// fitted when its turn comes.
    ///
    /// @param row is changed
    public void round(float[] row, ByteBuffer out) {
        if (type == BlockType.Q8_0) {
            eightBits(row, out);
            return;
        }
        BlockGrid grid = BlockGrid.of(type);
        float[] importance = inputs.importance(row);
        int[] codes = new int[type.weights()];
        for (int at = 0; at < row.length; at += codes.length) {
            grid.fit(row, at, importance, at);
            for (int i = 0; i < codes.length; i++) {
                codes[i] = grid.code(i, row[at + i]);
                inputs.spread(row, at + i, row[at + i] - grid.value(i, codes[i]));
            }
            grid.write(codes, out);
        }
    }

    private static void eightBits(float[] row, ByteBuffer out) {
        byte[] quants = new byte[Quantizer.BLOCK];
        for (int at = 0; at < row.length; at += Quantizer.BLOCK) {
            out.putShort(Quantizer.q8(row, at, quants));
            out.put(quants);
        }
    }
}
