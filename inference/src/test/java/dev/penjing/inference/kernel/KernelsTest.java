package dev.penjing.inference.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.model.gguf.GgufFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelsTest {
    private final Kernels vector = new VectorKernels();
    private final Kernels scalar = new ScalarKernels(vector.lanes());
    private final Random random = new Random(5);

    private PackedMatrix matrix(WeightFormat format, int rows, int columns) {
        PackedMatrix matrix =
                new PackedMatrix(format, rows, columns, vector.lanes(), Arena.ofAuto());
        for (int row = 0; row < rows; row++) {
            for (int block = 0; block < columns / 32; block++) {
                matrix.set(row, block, Block.random(format, random, false));
            }
        }
        return matrix;
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    private Activations activations(Kernels kernels, float[] x, int rows, int columns) {
        List<PackedMatrix> by = List.of(matrix(WeightFormat.Q8_0, 32, columns));
        Activations result = kernels.activations(rows, columns, by, Arena.ofAuto());
        result.setRows(rows);
        for (int row = 0; row < rows; row++) {
            kernels.quantize(x, row * columns, 0, columns, result, row, new Scratch());
        }
        return result;
    }

    static Stream<Arguments> formatsAndTokens() {
        return WeightFormat.all().stream()
                .flatMap(format ->
                        IntStream.of(1, 2, 3, 4, 7, 9, 15, 31, 32, 45)
                                .mapToObj(tokens -> Arguments.of(format, tokens)));
    }

    @ParameterizedTest
    @MethodSource("formatsAndTokens")
    void vectorAndScalarProductsAreTheSameSums(WeightFormat format, int tokens) {
        int rows = 96;
        int columns = 32 * 16;
        PackedMatrix w = matrix(format, rows, columns);
        float[] x = floats(tokens * columns);
        Activations ours = activations(vector, x, tokens, columns);
        Activations theirs = activations(scalar, x, tokens, columns);
        assertThat(ours.isSame(theirs, tokens)).isTrue();
        int stride = rows + 5;
        float[] start = floats(tokens * stride);
        for (boolean add : new boolean[] {false, true}) {
            float[] y = start.clone();
            float[] expected = start.clone();
            // in two parts, as two threads would
            vector.product(w, ours, y, 0, stride, 0, 32, add, new Scratch());
            vector.product(w, ours, y, 0, stride, 32, rows, add, new Scratch());
            scalar.product(w, theirs, expected, 0, stride, 0, rows, add, new Scratch());
            assertThat(y).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("formatsAndTokens")
    void aRowsProductIsTheSameAmongAnyOthers(WeightFormat format, int tokens) {
        int rows = 64;
        int columns = 32 * 152;
        PackedMatrix w = matrix(format, rows, columns);
        float[] x = floats(tokens * columns);
        float[] y = new float[tokens * rows];
        Activations all = activations(vector, x, tokens, columns);
        vector.product(w, all, y, 0, rows, 0, rows, false, new Scratch());
        for (int t = 0; t < tokens; t++) {
            float[] alone = Arrays.copyOfRange(x, t * columns, (t + 1) * columns);
            float[] row = new float[rows];
            Activations one = activations(vector, alone, 1, columns);
            vector.product(w, one, row, 0, rows, 0, rows, false, new Scratch());
            assertThat(Arrays.copyOfRange(y, t * rows, (t + 1) * rows)).isEqualTo(row);
        }
    }

    @Test
    void aProductIsNearTheOneInFloats() {
        int columns = 256;
        PackedMatrix w = matrix(WeightFormat.Q8_0, 32, columns);
        float[] x = floats(columns);
        float[] y = new float[32];
        vector.product(
                w, activations(vector, x, 1, columns), y, 0, 32, 0, 32, false, new Scratch());
        for (int row = 0; row < 32; row++) {
            float[] weights = new float[columns];
            w.row(row, weights, 0, columns);
            double exact = 0;
            double size = 0;
            for (int i = 0; i < columns; i++) {
                exact += (double) weights[i] * x[i];
                size += Math.pow(weights[i] * x[i], 2);
            }
            assertThat((double) y[row]).isCloseTo(exact, within(0.03 * Math.sqrt(size)));
        }
    }

    @ParameterizedTest
    @CsvSource({"Q4_0, -8, 7", "Q8_0, -127, 127"})
    void theLargestSumsDoNotOverflow(String format, int lowest, int highest) {
        for (int quant : new int[] {lowest, highest}) {
            for (float value : new float[] {-1, 1}) {
                for (int tokens : new int[] {1, 4, 32}) {
                    PackedMatrix w =
                            new PackedMatrix(
                                    WeightFormat.named(format),
                                    32,
                                    64,
                                    vector.lanes(),
                                    Arena.ofAuto());
                    byte[] quants = new byte[32];
                    Arrays.fill(quants, (byte) quant);
                    for (int row = 0; row < 32; row++) {
                        w.set(row, 0, quants, 0, Float.floatToFloat16(1));
                        w.set(row, 1, quants, 0, Float.floatToFloat16(1));
                    }
                    float[] x = new float[64 * tokens];
                    Arrays.fill(x, value);
                    float[] y = new float[32 * tokens];
                    Activations a = activations(vector, x, tokens, 64);
                    vector.product(w, a, y, 0, 32, 0, 32, false, new Scratch());
                    for (float sum : y) {
                        assertThat(sum).isCloseTo(64f * quant * value, within(0.01f));
                    }
                }
            }
        }
    }

    @Test
    void whatIsSetIsReadBack() {
        for (WeightFormat format : List.of(WeightFormat.Q4_0, WeightFormat.Q8_0)) {
            PackedMatrix w = new PackedMatrix(format, 40, 70, vector.lanes(), Arena.ofAuto());
            assertThat(w.rows()).isEqualTo(64);
            assertThat(w.columns()).isEqualTo(96);
            byte[] quants = new byte[32];
            for (int i = 0; i < 32; i++) {
                quants[i] = (byte) (i % 16 - 8);
            }
            w.set(33, 1, quants, 0, Float.floatToFloat16(-0.5f));
            float[] row = new float[70];
            w.row(33, row, 0, 70);
            for (int i = 0; i < 70; i++) {
                assertThat(row[i]).isEqualTo(i < 32 || i > 63 ? 0 : quants[i - 32] * -0.5f);
            }
        }
    }

    /// Whatever lies around it.
    @ParameterizedTest
    @EnumSource
    void aBlockIsReadBackAsItWasSet(WeightFormat format) {
        PackedMatrix w = matrix(format, 64, 512);
        PackedMatrix same = new PackedMatrix(format, 64, 512, vector.lanes(), Arena.ofAuto());
        Block block = new Block();
        for (int row = 63; row >= 0; row--) {
            for (int at = 15; at >= 0; at--) {
                w.get(row, at, block);
                same.set(row, at, block);
            }
        }
        assertThat(same.data().mismatch(w.data())).isEqualTo(-1);
    }

    /// Codes and scales are taken out of GGUF's blocks here, and weights elsewhere.
    @ParameterizedTest
    @EnumSource
    void blocksOfFilesAreTheWeightsThatTheyAreElsewhere(WeightFormat format) {
        byte[] bytes = new byte[format.blockType().bytes() * 512 / format.blockType().weights()];
        random.nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += format.blockType().bytes()) {
            for (int half : new int[] {1, 3, 209}) {
                if (half < format.blockType().bytes()) {
                    bytes[at + half] &= 0x3f; // float16 numbers stay finite
                }
            }
        }
        MemorySegment data = MemorySegment.ofArray(bytes);
        PackedMatrix w = new PackedMatrix(format, 64, 512, vector.lanes(), Arena.ofAuto());
        assertThat(w.setGguf(37, data, 0, 16)).isTrue();
        float[] row = new float[512];
        w.row(37, row, 0, 512);
        GgufFile.Tensor tensor =
                new GgufFile.Tensor("", format.blockType(), new long[] {1, 512}, data);
        float[] elsewhere = tensor.toFloats();
        assertThat(row).isEqualTo(elsewhere);
    }

    @ParameterizedTest
    @CsvSource({"16", "64", "100", "7", "129"})
    void normsAndActivationsAgree(int size) {
        float[] x = floats(size + 3);
        float[] weight = floats(size);
        float[] ours = new float[size];
        float[] theirs = new float[size];
        vector.rmsNorm(x, 3, weight, size, 1e-5f, ours);
        scalar.rmsNorm(x, 3, weight, size, 1e-5f, theirs);
        assertClose(ours, theirs, 1e-5f);

        float[] gate = floats(size);
        gate[0] = -200;
        gate[size - 1] = 200;
        float[] other = gate.clone();
        float[] up = floats(size);
        vector.siluTimes(gate, 0, up, 0, size);
        scalar.siluTimes(other, 0, up, 0, size);
        assertClose(gate, other, 1e-5f);

        float[] z = floats(size);
        z[0] = -200;
        z[size - 1] = 200;
        float[] sameZ = z.clone();
        vector.geluTimes(z, 0, up, 0, size);
        scalar.geluTimes(sameZ, 0, up, 0, size);
        assertClose(z, sameZ, 1e-5f);

        float[] scores = floats(size);
        float[] same = scores.clone();
        vector.softmax(scores, 0, size);
        scalar.softmax(same, 0, size);
        assertClose(scores, same, 1e-6f);
    }

    /// PyTorch's gelu of float32 with approximate="tanh".
    @Test
    void geluIsThatOfPyTorch() {
        float[] z = {-3, -1, -0.1f, 0, 0.5f, 2, 6};
        float[] up = {1, 1, 1, 1, 1, 1, 2};
        scalar.geluTimes(z, 0, up, 0, z.length);
        float[] expected = {-0.00363743f, -0.158808f, -0.0460172f, 0, 0.345714f, 1.9545977f, 12};
        assertClose(z, expected, 1e-6f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 1023, 49_152})
    void logSumExpAgrees(int size) {
        float[] x = floats(size + 3);
        x[3] = 40;
        assertThat(vector.logSumExp(x, 3, size))
                .isCloseTo(scalar.logSumExp(x, 3, size), within(1e-6));
        x[3 + size / 2] = Float.NEGATIVE_INFINITY;
        assertThat(vector.logSumExp(x, 3, size))
                .isCloseTo(scalar.logSumExp(x, 3, size), within(1e-6));
    }

    /// Interpreted at first, compiled at last.
    @Test
    void sumsDoNotDependOnHowTheCodeIsRun() {
        float[] x = floats(200);
        float[] weight = floats(200);
        float[] norm = new float[200];
        float[] again = new float[200];
        float[] probabilities = x.clone();
        vector.rmsNorm(x, 0, weight, 200, 1e-5f, norm);
        vector.softmax(probabilities, 0, 200);
        for (int i = 0; i < 20_000; i++) {
            vector.rmsNorm(x, 0, weight, 200, 1e-5f, again);
            float[] same = x.clone();
            vector.softmax(same, 0, 200);
            assertThat(Arrays.equals(again, norm) && Arrays.equals(same, probabilities))
                    .as("run %d", i)
                    .isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 16", "64, 5", "80, 16", "17, 3"})
    void attentionAgrees(int headDim, int count) {
        MemorySegment cache = Arena.ofAuto().allocate(2L * 16 * headDim + 64, 64);
        for (int i = 0; i < 16 * headDim; i++) {
            cache.set(
                    PackedMatrix.SHORT,
                    2L * i,
                    Float.floatToFloat16((float) random.nextGaussian()));
        }
        cache.set(PackedMatrix.SHORT, 0, (short) 1); // the smallest subnormal
        float[] q = floats(headDim);
        float[] ours = new float[16];
        float[] theirs = new float[16];
        vector.scores(q, 0, headDim, cache, 0, 0.125f, ours, 0);
        scalar.scores(q, 0, headDim, cache, 0, 0.125f, theirs, 0);
        assertClose(ours, theirs, 1e-5f);
        float[] out = floats(headDim);
        float[] same = out.clone();
        vector.mix(ours, 0, count, cache, 0, headDim, out, 0);
        scalar.mix(theirs, 0, count, cache, 0, headDim, same, 0);
        assertClose(out, same, 1e-5f);
    }

    /// Alone or with three others, a query's numbers are the same bit for bit.
    @ParameterizedTest
    @CsvSource({"64, 32", "64, 5", "80, 16", "17, 3", "32, 32", "10, 1", "48, 31"})
    void fourQueriesAreFourTimesOne(int headDim, int count) {
        MemorySegment cache = Arena.ofAuto().allocate(2L * 32 * headDim + 64, 64);
        for (int i = 0; i < 32 * headDim; i++) {
            short half = Float.floatToFloat16((float) random.nextGaussian());
            cache.set(PackedMatrix.SHORT, 2L * i, half);
        }
        float[] q = floats(3 + 4 * headDim);
        for (Kernels kernels : new Kernels[] {vector, scalar}) {
            float[] four = new float[7 + 4 * 40];
            float[] one = new float[7 + 4 * 40];
            kernels.fourScores(q, 3, headDim, cache, 0, 0.125f, four, 7, 40);
            float[] mixed = floats(2 + 4 * headDim);
            float[] single = mixed.clone();
            for (int i = 0; i < 4; i++) {
                int at = 7 + i * 40;
                kernels.scores(q, 3 + i * headDim, headDim, cache, 0, 0.125f, one, at);
            }
            assertThat(four).isEqualTo(one);
            float[] weights = floats(7 + 4 * 40);
            kernels.fourMixes(weights, 7, 40, count, cache, 0, headDim, mixed, 2);
            for (int i = 0; i < 4; i++) {
                int to = 2 + i * headDim;
                kernels.mix(weights, 7 + i * 40, count, cache, 0, headDim, single, to);
            }
            assertThat(mixed).isEqualTo(single);
        }
    }

    @Test
    void aTeamDoesEveryPartOnce() {
        try (Team team = new Team(3)) {
            int[] done = new int[1000];
            for (int round = 0; round < 2_000; round++) {
                team.split(
                        done.length,
                        (from, to, scratch) -> {
                            for (int i = from; i < to; i++) {
                                done[i]++;
                            }
                        });
            }
            assertThat(done).containsOnly(2_000);
        }
    }

    private static void assertClose(float[] ours, float[] theirs, float tolerance) {
        for (int i = 0; i < ours.length; i++) {
            float scale = Math.max(1, Math.abs(theirs[i]));
            assertThat(ours[i]).as("element %d", i).isCloseTo(theirs[i], within(tolerance * scale));
        }
    }
}
