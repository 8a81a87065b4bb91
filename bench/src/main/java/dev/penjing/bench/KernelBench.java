package dev.penjing.bench;

import dev.penjing.inference.KernelChoice;
import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Block;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.VectorKernels;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Every kernel of the engine, one thread. What an operation moves or computes, to turn times into
/// rates:
///
/// | benchmark | an operation |
/// | --- | --- |
/// | `product`, 1 token | reads 8192 x 2048 weights: 9.4 MB (Q4_0), 17.8 MB (Q8_0) |
/// | `product`, T tokens | 2 x 8192 x 2048 x T operations |
/// | `quantize`, `rmsNorm` | 2048 floats |
/// | `siluTimes` | 2 x 8192 floats |
/// | `scores`, `mix` | 16 positions x 64 float16 |
/// | `softmax` | 1024 floats |
///
/// Usage: `bench/run kernels [options of JMH]`
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class KernelBench {
    private static final int ROWS = 8192;
    private static final int COLUMNS = 2048;
    private static final int HEAD_DIM = 64;

    /// More than the caches hold, so that each product comes from memory.
    private static final int MATRICES = 8;

    /// As `KernelChoice` calls them; those of the Vector API are the peer.
    @Param({"auto", "vector"})
    public String kernelNames = "auto";

    private Kernels kernels = new VectorKernels();
    private final Scratch scratch = new Scratch();
    private final Random random = new Random(1);

    /// A matrix and activations.
    @State(Scope.Thread)
    public static class Product {
        @Param({"Q4_0", "Q8_0"})
        public String quantization = "Q4_0";

        @Param({"1", "8", "256"})
        public int tokens = 1;

        private final PackedMatrix[] matrices = new PackedMatrix[MATRICES];
        private Activations x = activations(new VectorKernels(), 1);
        private float[] y = new float[0];
        private int next;

        @Setup
        public void fill(KernelBench of) {
            Kernels kernels = KernelChoice.open(of.kernelNames);
            Random random = new Random(1);
            for (int m = 0; m < MATRICES; m++) {
                matrices[m] =
                        new PackedMatrix(
                                WeightFormat.valueOf(quantization),
                                ROWS,
                                COLUMNS,
                                kernels.lanes(),
                                Arena.ofAuto());
                for (int row = 0; row < ROWS; row++) {
                    for (int block = 0; block < COLUMNS / 32; block++) {
                        matrices[m].set(
                                row, block, Block.random(matrices[m].format(), random, false));
                    }
                }
            }
            x = kernels.activations(tokens, COLUMNS, List.of(matrices[0]), Arena.ofAuto());
            x.setRows(tokens);
            float[] values = floats(random, COLUMNS);
            for (int t = 0; t < tokens; t++) {
                kernels.quantize(values, 0, 0, COLUMNS, x, t, new Scratch());
            }
            y = new float[tokens * ROWS];
        }
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private final float[] hidden = floats(random, COLUMNS);
    private final float[] weight = floats(random, COLUMNS);
    private final float[] out = new float[COLUMNS];
    private final float[] gate = floats(random, ROWS);
    private final float[] up = floats(random, ROWS);
    private final float[] scores = floats(random, 1024);
    private Activations row = activations(kernels, 1);
    private final MemorySegment cache = Arena.ofAuto().allocate(2L * 16 * HEAD_DIM, 64);

    @Setup
    public void one() {
        kernels = KernelChoice.open(kernelNames);
        row = activations(kernels, 1);
        row.setRows(1);
    }

    private static Activations activations(Kernels kernels, int rows) {
        return kernels.activations(rows, COLUMNS, List.of(), Arena.ofAuto());
    }

    @Benchmark
    public float[] product(Product p) {
        PackedMatrix w = p.matrices[p.next++ % MATRICES];
        kernels.product(w, p.x, p.y, 0, ROWS, 0, ROWS, false, scratch);
        return p.y;
    }

    @Benchmark
    public Activations quantize() {
        kernels.quantize(hidden, 0, 0, COLUMNS, row, 0, scratch);
        return row;
    }

    @Benchmark
    public float[] rmsNorm() {
        kernels.rmsNorm(hidden, 0, weight, COLUMNS, 1e-5f, out);
        return out;
    }

    @Benchmark
    public float[] siluTimes() {
        kernels.siluTimes(gate, 0, up, 0, ROWS);
        return gate;
    }

    @Benchmark
    public float[] scores() {
        kernels.scores(hidden, 0, HEAD_DIM, cache, 0, 0.125f, scores, 0);
        return scores;
    }

    @Benchmark
    public float[] mix() {
        kernels.mix(scores, 0, 16, cache, 0, HEAD_DIM, out, 0);
        return out;
    }

    @Benchmark
    public float[] softmax() {
        kernels.softmax(scores, 0, scores.length);
        return scores;
    }

    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        CommandLineOptions given = new CommandLineOptions(args);
        OptionsBuilder options = new OptionsBuilder();
        options.parent(given);
        if (given.getIncludes().isEmpty()) {
            options.include(KernelBench.class.getName());
        }
        new Runner(options.build()).run();
    }
}
