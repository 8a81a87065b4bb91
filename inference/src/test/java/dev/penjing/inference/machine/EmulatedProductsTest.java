package dev.penjing.inference.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.kernel.Block;
import dev.penjing.inference.kernel.ByteActivations;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every function that is emitted for any processor, run by an emulator: the same numbers as plain
/// Java's, bit for bit, and not a byte read or written that is not its own.
class EmulatedProductsTest {
    private static final long WEIGHTS = 0x1_0000_0000L;
    private static final long TILE = 0x2_0000_0000L;
    private static final long SUMS = 0x3_0000_0000L;
    private static final long FLOATS = 0x4_0000_0000L;
    private static final int BLOCKS = 16;
    private static final int COLUMNS = 32 * BLOCKS;
    private static final int OUTPUTS = 64;

    private final Random random = new Random(3);
    private final Arena arena = Arena.ofAuto();

    record Case(InstructionSet set, WeightFormat format, int rows) {}

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (InstructionSet set : InstructionSet.values()) {
            for (WeightFormat format : WeightFormat.all()) {
                for (int rows = 1; rows <= ProductCode.MOST_ROWS; rows++) {
                    cases.add(new Case(set, format, rows));
                }
            }
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void productsAreThoseOfPlainJava(Case of) {
        product(of, false);
    }

    /// Weights and activations as far from zero as they can be, all of one sign or of both.
    @ParameterizedTest
    @MethodSource("cases")
    void theLargestSumsDoNotOverflow(Case of) {
        product(of, true);
    }

    private void product(Case of, boolean largest) {
        ScalarKernels twin = new ScalarKernels(of.set().lanes());
        PackedMatrix w = new PackedMatrix(of.format(), OUTPUTS, COLUMNS, of.set().lanes(), arena);
        for (int row = 0; row < OUTPUTS; row++) {
            for (int block = 0; block < BLOCKS; block++) {
                w.set(row, block, Block.random(of.format(), random, largest));
            }
        }
        ByteActivations x = new ByteActivations(of.rows(), COLUMNS, arena);
        x.setRows(of.rows());
        float[] values = floats(of.rows() * COLUMNS);
        for (int i = 0; i < values.length && largest; i++) {
            values[i] = i % COLUMNS < 32 ? Math.signum(values[i]) : i % COLUMNS < 64 ? 1 : -1;
        }
        for (int row = 0; row < of.rows(); row++) {
            twin.quantize(values, row * COLUMNS, 0, COLUMNS, x, row, new Scratch());
        }
        float[] expected = floats(of.rows() * OUTPUTS);
        byte[] sums = new byte[4 * expected.length];
        ByteBuffer floats = ByteBuffer.wrap(sums).order(ByteOrder.LITTLE_ENDIAN);
        for (float start : expected) {
            floats.putFloat(start);
        }
        twin.product(w, x, expected, 0, OUTPUTS, 0, OUTPUTS, true, new Scratch());

        Emulator emulator = new Emulator();
        emulator.map(WEIGHTS, w.data().toArray(ValueLayout.JAVA_BYTE));
        emulator.map(TILE, x.tile(0).toArray(ValueLayout.JAVA_BYTE));
        emulator.map(SUMS, sums);
        byte[] code = ProductCode.write(of.set(), WeightCode.of(of.format()), of.rows());
        int groups = OUTPUTS / w.groupRows();
        emulator.call(code, WEIGHTS, TILE, SUMS, 4L * OUTPUTS, BLOCKS, groups);
        floats.rewind();
        for (int i = 0; i < expected.length; i++) {
            assertThat(floats.getFloat()).as("element %d", i).isEqualTo(expected[i]);
        }
    }

    @Test
    void quantisedActivationsAreThoseOfPlainJava() {
        int rows = 3;
        float[] values = floats(rows * COLUMNS);
        for (int i = 0; i < 32; i++) {
            values[i] = 0;
            values[i + 32] = i == 7 ? 1e-31f : 0;
            values[i + 64] *= 1e30f;
            values[COLUMNS + i] = i - 15.5f;
        }
        byte[] floats = new byte[4 * values.length];
        ByteBuffer.wrap(floats).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
        ByteActivations expected = new ByteActivations(rows, COLUMNS, arena);
        expected.setRows(rows);
        byte[] tile = new byte[(int) expected.tile(0).byteSize()];
        Emulator emulator = new Emulator();
        emulator.map(FLOATS, floats);
        emulator.map(TILE, tile);
        byte[] code = QuantizeCode.write();
        for (int row = 0; row < rows; row++) {
            new ScalarKernels(8)
                    .quantize(values, row * COLUMNS, 0, COLUMNS, expected, row, new Scratch());
            emulator.call(
                    code,
                    FLOATS + 4L * row * COLUMNS,
                    TILE + 32L * row,
                    TILE + 32L * rows + 4L * row,
                    TILE + 36L * rows + 12L * row,
                    expected.step(),
                    BLOCKS);
        }
        assertThat(tile).isEqualTo(expected.tile(0).toArray(ValueLayout.JAVA_BYTE));
    }

    /// The emulator would see it.
    @Test
    void whatIsNotMemoryIsNoticed() {
        byte[] code =
                ProductCode.write(InstructionSet.AVX2, WeightCode.of(WeightFormat.finest()), 1);
        Emulator emulator = new Emulator();
        emulator.map(WEIGHTS, new byte[100]);
        emulator.map(TILE, new byte[48]);
        emulator.map(SUMS, new byte[64]);
        assertThatThrownBy(() -> emulator.call(code, WEIGHTS, TILE, SUMS, 64, 1, 1))
                .hasMessageContaining("are not memory");
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
