package dev.penjing.inference.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Block;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.VectorKernels;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Emitted code on this processor, as far as it has the instructions: bit for bit what plain Java
/// computes.
class EmittedKernelsTest {
    private final Random random = new Random(4);
    private final Arena arena = Arena.ofAuto();
    private final Scratch scratch = new Scratch();

    private static Kernels kernels(InstructionSet set) {
        boolean here =
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64")
                        && set.isOn(Processor.ask());
        assumeTrue(here, "this processor does not have " + set);
        return EmittedKernels.named(set.option(), new VectorKernels());
    }

    @ParameterizedTest
    @EnumSource
    void anyNumberOfRowsIsComputedAsPlainJavaDoes(InstructionSet set) {
        Kernels kernels = kernels(set);
        Kernels twin = new ScalarKernels(kernels.lanes());
        for (WeightFormat format : WeightFormat.all()) {
            PackedMatrix w = matrix(kernels, format, 96, 32 * 8);
            for (int rows = 1; rows <= 40; rows++) {
                float[] x = floats(rows * w.columns());
                Activations ours = activations(kernels, kernels, x, rows, w);
                Activations theirs = activations(kernels, twin, x, rows, w);
                assertThat(ours.isSame(theirs, rows)).isTrue();
                int stride = w.rows() + 5;
                for (boolean add : new boolean[] {false, true}) {
                    float[] y = floats(3 + rows * stride);
                    float[] expected = y.clone();
                    // in two parts, as two threads would
                    kernels.product(w, ours, y, 3, stride, 0, 32, add, scratch);
                    kernels.product(w, ours, y, 3, stride, 32, w.rows(), add, scratch);
                    twin.product(w, ours, expected, 3, stride, 0, w.rows(), add, scratch);
                    assertThat(y).as("%s, %d rows", format, rows).isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRowsProductIsTheSameAmongAnyOthers(InstructionSet set) {
        Kernels kernels = kernels(set);
        for (WeightFormat format : WeightFormat.all()) {
            PackedMatrix w = matrix(kernels, format, 64, 32 * 152);
            int rows = 13;
            float[] x = floats(rows * w.columns());
            float[] y = new float[rows * w.rows()];
            Activations all = activations(kernels, kernels, x, rows, w);
            kernels.product(w, all, y, 0, w.rows(), 0, w.rows(), false, scratch);
            for (int t = 0; t < rows; t++) {
                float[] alone = Arrays.copyOfRange(x, t * w.columns(), (t + 1) * w.columns());
                float[] row = new float[w.rows()];
                Activations one = activations(kernels, kernels, alone, 1, w);
                kernels.product(w, one, row, 0, w.rows(), 0, w.rows(), false, scratch);
                assertThat(Arrays.copyOfRange(y, t * w.rows(), (t + 1) * w.rows())).isEqualTo(row);
            }
        }
    }

    /// A number that is none must not become one on the way.
    @ParameterizedTest
    @EnumSource
    void whatIsNotFiniteStaysSo(InstructionSet set) {
        Kernels kernels = kernels(set);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -1f / 0}) {
            for (int place : new int[] {0, 9, 18, 31}) {
                PackedMatrix w = matrix(kernels, WeightFormat.finest(), 32, 64);
                float[] x = floats(64);
                x[32 + place] = bad;
                float[] y = new float[32];
                Activations a = activations(kernels, kernels, x, 1, w);
                kernels.product(w, a, y, 0, 32, 0, 32, false, scratch);
                for (float sum : y) {
                    assertThat(Float.isFinite(sum)).as("%s at %d", bad, place).isFalse();
                }
            }
        }
    }

    /// Nothing outside an array is touched: what would be is refused.
    @ParameterizedTest
    @EnumSource
    void boundsAreCheckedBeforeACall(InstructionSet set) {
        Kernels kernels = kernels(set);
        PackedMatrix w = matrix(kernels, WeightFormat.finest(), 64, 64);
        Activations a = activations(kernels, kernels, floats(128), 2, w);
        float[] y = new float[128];
        int[][] wrong = {{-32, 32}, {0, 96}, {8, 32}, {0, 40}};
        for (int[] range : wrong) {
            assertThatThrownBy(() ->
                            kernels.product(w, a, y, 0, 64, range[0], range[1], false, scratch))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> kernels.product(w, a, y, 1, 64, 0, 64, false, scratch))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> kernels.product(w, a, y, -1, 64, 0, 64, true, scratch))
                .isInstanceOf(IndexOutOfBoundsException.class);
        PackedMatrix longer = matrix(kernels, WeightFormat.finest(), 64, 96);
        assertThatThrownBy(() -> kernels.product(longer, a, y, 0, 64, 0, 64, false, scratch))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> kernels.quantize(new float[63], 0, 0, 64, a, 0, scratch))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> kernels.quantize(new float[96], 0, 0, 96, a, 1, scratch))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> kernels.quantize(new float[64], 0, 0, 64, a, 30, scratch))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private PackedMatrix matrix(Kernels kernels, WeightFormat format, int rows, int columns) {
        PackedMatrix matrix = new PackedMatrix(format, rows, columns, kernels.lanes(), arena);
        for (int row = 0; row < rows; row++) {
            for (int block = 0; block < columns / 32; block++) {
                matrix.set(row, block, Block.random(format, random, false));
            }
        }
        return matrix;
    }

    private Activations activations(
            Kernels of, Kernels by, float[] x, int rows, PackedMatrix with) {
        Activations result = of.activations(rows, with.columns(), List.of(with), arena);
        result.setRows(rows);
        for (int row = 0; row < rows; row++) {
            by.quantize(x, row * with.columns(), 0, with.columns(), result, row, scratch);
        }
        return result;
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
