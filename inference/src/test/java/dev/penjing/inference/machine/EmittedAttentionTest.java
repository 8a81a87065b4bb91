package dev.penjing.inference.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.VectorKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Attention in emitted code, on this processor and in the emulator, beside plain Java's.
class EmittedAttentionTest {
    private static final int BLOCK = Kernels.KEY_BLOCK;

    private final Random random = new Random(6);
    private final Scratch scratch = new Scratch();
    private final Arena arena = Arena.ofAuto();

    /// Keys at 0 of each block, values behind them.
    private MemorySegment[] cache(int positions, int headDim) {
        MemorySegment[] blocks = new MemorySegment[Math.ceilDiv(positions, BLOCK)];
        for (int b = 0; b < blocks.length; b++) {
            blocks[b] = arena.allocate(4L * BLOCK * headDim, 64);
            for (int i = 0; i < 2 * BLOCK * headDim; i++) {
                short half = Float.floatToFloat16((float) random.nextGaussian());
                blocks[b].setAtIndex(ValueLayout.JAVA_SHORT, i, i == 3 ? (short) 1 : half);
            }
        }
        return blocks;
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    /// What a run of positions gives, of so many queries: scores, then the mix with them as
    /// weights.
    private float[] attend(
            Kernels kernels,
            float[] start,
            int queries,
            int headDim,
            MemorySegment[] blocks,
            int positions) {
        float[] work = start.clone();
        int stride = blocks.length * BLOCK;
        int scoresAt = 8 * headDim;
        kernels.scores(
                work, 0, queries, headDim, blocks, 0, positions, 0.125f, scoresAt, stride, scratch);
        long values = 2L * BLOCK * headDim;
        kernels.mix(
                work,
                scoresAt,
                stride,
                queries,
                blocks,
                values,
                positions,
                headDim,
                4 * headDim,
                scratch);
        return work;
    }

    @ParameterizedTest
    @CsvSource({
        "64, 1",
        "64, 16",
        "64, 77",
        "80, 33",
        "8, 64",
        "24, 100",
        "128, 31",
        "17, 40",
        "64, 2100"
    })
    void agreesWithPlainJava(int headDim, int positions) {
        assumeTrue(
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64")
                        && InstructionSet.AVX2.isOn(Processor.ask()),
                "no AVX2");
        Kernels kernels = EmittedKernels.named("avx2", new VectorKernels());
        MemorySegment[] blocks = cache(positions, headDim);
        int stride = blocks.length * BLOCK;
        float[] start = floats(8 * headDim + 4 * stride);
        float[] ours = attend(kernels, start, 4, headDim, blocks, positions);
        float[] theirs = attend(new ScalarKernels(8), start, 4, headDim, blocks, positions);
        for (int q = 0; q < 4; q++) {
            int to = (4 + q) * headDim;
            for (int d = 0; d < headDim; d++) {
                assertThat(ours[to + d]).isCloseTo(theirs[to + d], within(1e-3f));
            }
            int scores = 8 * headDim + q * stride;
            for (int t = 0; t < positions; t++) {
                assertThat(ours[scores + t]).isCloseTo(theirs[scores + t], within(1e-5f));
            }
            // alone, the same bit for bit
            float[] single = start.clone();
            System.arraycopy(start, q * headDim, single, 0, headDim);
            System.arraycopy(start, to, single, 4 * headDim, headDim);
            float[] alone = attend(kernels, single, 1, headDim, blocks, positions);
            assertThat(Arrays.copyOfRange(alone, 4 * headDim, 5 * headDim))
                    .isEqualTo(Arrays.copyOfRange(ours, to, to + headDim));
            assertThat(Arrays.copyOfRange(alone, 8 * headDim, 8 * headDim + positions))
                    .isEqualTo(Arrays.copyOfRange(ours, scores, scores + positions));
        }
    }

    /// In the emulator, which knows which memory is theirs.
    @ParameterizedTest
    @CsvSource({"64, 1", "64, 4", "8, 4", "24, 1", "80, 4"})
    void touchesNothingElse(int headDim, int queries) {
        int tiles = 2;
        Emulator emulator = new Emulator();
        byte[] cache = new byte[2 * BLOCK * headDim];
        for (int i = 0; i < BLOCK * headDim; i++) {
            short half = Float.floatToFloat16((float) random.nextGaussian());
            ByteBuffer.wrap(cache).order(ByteOrder.LITTLE_ENDIAN).putShort(2 * i, half);
        }
        long place = 0x1_0000_0000L;
        emulator.map(place, cache);
        float[] q = floats(queries * headDim);
        int stride = 50;
        emulator.map(0x2_0000_0000L, longs(place, place + cache.length / tiles));
        emulator.map(0x3_0000_0000L, bytes(q));
        byte[] scores = new byte[4 * ((queries - 1) * stride + BLOCK)];
        emulator.map(0x4_0000_0000L, scores);
        emulator.call(
                ScoresCode.write(headDim, queries),
                0x2_0000_0000L,
                tiles,
                0x3_0000_0000L,
                0x4_0000_0000L,
                4 * stride,
                Float.floatToRawIntBits(0.5f));
        MemorySegment[] block = {arena.allocate(cache.length, 64)};
        block[0].copyFrom(MemorySegment.ofArray(cache));
        float[] work = Arrays.copyOf(q, 4 * headDim + queries * stride);
        for (int i = 0; i < queries; i++) {
            for (int tile = 0; tile < tiles; tile++) {
                int to = 4 * headDim + i * stride + tile * Kernels.KEY_TILE;
                new ScalarKernels(8)
                        .scores(
                                work,
                                i * headDim,
                                headDim,
                                block[0],
                                (long) tile * cache.length / tiles,
                                0.5f,
                                work,
                                to);
            }
        }
        assertClose(scores, work, 4 * headDim, queries, stride, BLOCK);

        int positions = 19;
        float[] weights = floats((queries - 1) * stride + positions);
        float[] out = floats(queries * headDim);
        byte[] sums = bytes(out);
        emulator.map(0x5_0000_0000L, bytes(weights));
        emulator.map(0x6_0000_0000L, sums);
        emulator.call(
                MixCode.write(headDim, queries),
                0x2_0000_0000L,
                1,
                0x5_0000_0000L,
                4 * stride,
                0x6_0000_0000L,
                positions);
        for (int i = 0; i < queries; i++) {
            new ScalarKernels(8)
                    .mix(weights, i * stride, positions, block[0], 0, headDim, out, i * headDim);
        }
        assertClose(sums, out, 0, 1, 0, queries * headDim);
    }

    private static void assertClose(
            byte[] ours, float[] theirs, int at, int rows, int stride, int count) {
        ByteBuffer floats = ByteBuffer.wrap(ours).order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < count; i++) {
                assertThat(floats.getFloat(4 * (row * stride + i)))
                        .isCloseTo(theirs[at + row * stride + i], within(1e-4f));
            }
        }
    }

    private static byte[] longs(long... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return bytes.array();
    }

    private static byte[] bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }
}
