package dev.penjing.model.quantization;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RowQuantizerTest {
    private static final int COLUMNS = 2048;

    private static byte[] round(BlockType type, InputSums inputs, float[] row) {
        ByteBuffer out =
                ByteBuffer.allocate(row.length / type.weights() * type.bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
        new RowQuantizer(type, inputs).round(row.clone(), out);
        assertThat(out.hasRemaining()).isFalse();
        return out.array();
    }

    private static float[] read(BlockType type, byte[] blocks) {
        return Dequantizer.floats(type, MemorySegment.ofArray(blocks));
    }

    private static double error(float[] x, float[] y, float[] weights) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += weights[i] * Math.pow((double) x[i] - y[i], 2);
        }
        return sum;
    }

    /// The row that ggml (0.25.3) rounded, too.
    private static float[] row() {
        long state = 7;
        float[] row = new float[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
            double sum = -2;
            for (int k = 0; k < 4; k++) {
                state = state * 1_103_515_245 + 12_345 & 0x7fffffff;
                sum += state / 0x1p31;
            }
            row[i] = (float) (sum * (i % 7 == 0 ? 2 : 1));
        }
        return row;
    }

    private static float[] repeated(float value) {
        float[] values = new float[COLUMNS];
        Arrays.fill(values, value);
        return values;
    }

    /// The squared errors of ggml's ggml_quantize_chunk, without and with an importance matrix.
    @ParameterizedTest
    @CsvSource({
        "Q4_0, 10.3137, 19.2439",
        "Q4_1, 7.04485, 11.3733",
        "Q5_0, 2.48729, 4.81532",
        "Q5_1, 1.6747, 2.68271",
        "Q4_K, 6.06513, 11.773",
        "Q5_K, 1.56318, 3.00318",
        "Q6_K, 0.39654, 0.789937",
        "IQ4_NL, 7.00914, 13.3112",
        "IQ4_XS, 7.10968, 13.62"
    })
    void roundingCostsNoMoreThanWithGgml(BlockType type, double plain, double weighted) {
        float[] row = row();
        float[] energy = new float[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
            energy[i] = 0.1f + i * 37 % 64 / 16f;
        }
        float[] even = read(type, round(type, InputSums.unknown(), row));
        float[] by = read(type, round(type, InputSums.ofEnergy(energy), row));
        assertThat(error(row, even, repeated(1))).as("without").isLessThan(plain * 1.01);
        assertThat(error(row, by, energy)).as("with").isLessThan(weighted * 1.01);
    }

    /// Weights that a block can hold are held exactly.
    @ParameterizedTest
    @EnumSource(
            value = BlockType.class,
            names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q6_K", "IQ4_NL"})
    void whatIsOnTheGridStaysThere(BlockType type) {
        Random random = new Random(3);
        float[] row = new float[256];
        for (int i = 0; i < row.length; i++) {
            int code = i % 16 == 0 ? 0 : i % 16 == 1 ? 15 : random.nextInt(16);
            row[i] = (code - 8) * 0.25f;
        }
        if (type == BlockType.IQ4_NL) {
            for (int i = 0; i < row.length; i++) {
                row[i] = CodeTable.number(i % 32 == 0 ? 0 : random.nextInt(16)) * 0.25f;
            }
        }
        float[] read = read(type, round(type, InputSums.unknown(), row));
        assertThat(error(row, read, repeated(1))).isLessThan(type == BlockType.Q8_0 ? 1e-2 : 1e-6);
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockType.class,
            names = {"F32", "F16", "BF16", "Q8_0"},
            mode = EnumSource.Mode.EXCLUDE)
    void zerosAndExtremesAreRead(BlockType type) {
        float[] row = new float[512];
        assertThat(read(type, round(type, InputSums.unknown(), row))).containsOnly(0f);
        for (int i = 256; i < 512; i++) {
            row[i] = i % 2 == 0 ? 1e30f : -1e30f;
        }
        for (float value : read(type, round(type, InputSums.unknown(), row))) {
            assertThat(value).isFinite();
        }
    }

    /// Two columns that are always the same: what rounding takes from one, the other gives back.
    @Test
    void aColumnMakesUpForAnother() {
        int columns = 64;
        // the inverse of [[1, r], [r, 1]] in pairs of columns, c and c + 32
        double r = 0.99;
        float[][] upper = new float[columns][];
        for (int c = 0; c < columns; c++) {
            upper[c] = new float[columns - c];
            upper[c][0] = (float) (c < 32 ? 1 / Math.sqrt(1 - r * r) : 1);
            if (c < 32) {
                upper[c][32] = (float) (-r / Math.sqrt(1 - r * r));
            }
        }
        float[] energy = new float[columns];
        Arrays.fill(energy, 1);
        float[] row = Arrays.copyOf(row(), columns);
        float[] alone =
                read(BlockType.Q4_0, round(BlockType.Q4_0, InputSums.ofEnergy(energy), row));
        float[] made =
                read(BlockType.Q4_0, round(BlockType.Q4_0, InputSums.ofFactor(energy, upper), row));
        double before = 0;
        double after = 0;
        for (int c = 0; c < 32; c++) {
            before += Math.pow(row[c] + row[c + 32] - alone[c] - alone[c + 32], 2);
            after += Math.pow(row[c] + row[c + 32] - made[c] - made[c + 32], 2);
        }
        assertThat(after).isLessThan(before * 0.75);
    }
}
