package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.ByteActivations;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.invoke.MethodHandle;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Kernels whose products, quantisation and attention are machine code for the processor at hand; the
/// rest is left to others. A function is written and checked when it is first needed.
///
/// Bounds are checked here, before a call: in emitted code nothing checks them, and a wrong address
/// would end the process.
public final class EmittedKernels implements Kernels {
    private static final System.Logger LOG = System.getLogger("penjing");

    /// Packed weights that go through a call at most: they stay in a cache of the second level
    /// while tile after tile of activations meets them, and the call is over in microseconds.
    private static final long CALL_BYTES = 128 << 10;

    /// Handles, which are made only where native access is allowed: the JVM would warn.
    private static final class Calls {
        static final MethodHandle PRODUCT =
                CodePage.ordinary(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG));
        static final MethodHandle QUANTIZE =
                CodePage.critical(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG));
    }

    private final InstructionSet set;
    private final Kernels rest;
    private final Map<WeightFormat, Products> products;
    private final MemorySegment quantize;
    private final EmittedAttention attention = new EmittedAttention();
    private final Scratch checking = new Scratch();

    /// The functions of a weight format, one for each number of rows in a tile: null if it was not
    /// needed yet, [MemorySegment#NULL] if it is not to be used.
    private static final class Products {
        private final @Nullable MemorySegment[] code =
                new @Nullable MemorySegment[ProductCode.MOST_ROWS + 1];
    }

    private EmittedKernels(InstructionSet set, Kernels rest) {
        this.set = set;
        this.rest = rest;
        this.products =
                WeightFormat.all().stream()
                        .collect(Collectors.toUnmodifiableMap(f -> f, f -> new Products()));
        this.quantize = CodePage.load("quantize", QuantizeCode.write());
        SelfCheck.quantize(this);
        for (WeightFormat format : WeightFormat.all()) {
            if (code(format, 1).equals(MemorySegment.NULL)) {
                throw new UnsupportedOperationException("it gives other numbers than plain Java");
            }
        }
    }

    /// What settings call the kinds of emitted code, the fastest first.
    public static List<String> names() {
        return List.of(InstructionSet.values()).stream().map(InstructionSet::option).toList();
    }

    /// The fastest that this processor has.
    ///
    /// @param rest does what is not emitted
    /// @throws UnsupportedOperationException with the reason, if there are none here
    public static Kernels fastest(Kernels rest) {
        Processor processor = processor();
        for (InstructionSet set : InstructionSet.values()) {
            if (set.isOn(processor)) {
                return new EmittedKernels(set, rest);
            }
        }
        throw new UnsupportedOperationException("the processor has no AVX2");
    }

    /// Those of a name.
    ///
    /// @throws UnsupportedOperationException with the reason, if they do not run here
    public static Kernels named(String name, Kernels rest) {
        InstructionSet set =
                List.of(InstructionSet.values()).stream()
                        .filter(s -> s.option().equals(name))
                        .findFirst()
                        .orElseThrow();
        if (!set.isOn(processor())) {
            throw new UnsupportedOperationException(
                    "the processor or the system does not have " + set);
        }
        return new EmittedKernels(set, rest);
    }

    private static Processor processor() {
        String system = System.getProperty("os.name");
        String architecture = System.getProperty("os.arch");
        if (!system.equals("Linux") || !architecture.equals("amd64")) {
            throw new UnsupportedOperationException(
                    "there is none for %s on %s".formatted(system, architecture));
        }
        if (!EmittedKernels.class.getModule().isNativeAccessEnabled()) {
            throw new UnsupportedOperationException(
                    "the JVM's option --enable-native-access=ALL-UNNAMED is missing");
        }
        return Processor.ask();
    }

    @Override
    public String describe() {
        return "emitted code, %s, %d bits".formatted(set, set.bits());
    }

    @Override
    public int lanes() {
        return set.lanes();
    }

    @Override
    public Activations activations(
            int maxRows, int columns, Collection<PackedMatrix> by, SegmentAllocator memory) {
        return new ByteActivations(maxRows, columns, memory);
    }

    private MemorySegment code(WeightFormat format, int rows) {
        @Nullable MemorySegment[] functions = requireNonNull(products.get(format)).code;
        MemorySegment function = functions[rows];
        return function != null ? function : write(format, rows, functions);
    }

    private synchronized MemorySegment write(
            WeightFormat format, int rows, @Nullable MemorySegment[] functions) {
        MemorySegment known = functions[rows];
        if (known != null) {
            return known;
        }
        String name = "%s-%s-%d".formatted(format.name(), set.option(), rows);
        MemorySegment function =
                CodePage.load(name, ProductCode.write(set, WeightCode.of(format), rows));
        try {
            SelfCheck.product(
                    this,
                    format,
                    rows,
                    (w, x, y) ->
                            product(function, w, x, y, 0, w.rows(), 0, w.rows(), true, checking));
            functions[rows] = function;
            return function;
        } catch (UnsupportedOperationException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: computed in plain Java", e.getMessage());
            functions[rows] = MemorySegment.NULL;
            return MemorySegment.NULL;
        }
    }

    @Override
    public void product(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        MemorySegment function = code(w.format(), x.tile());
        if (function.equals(MemorySegment.NULL)) {
            new ScalarKernels(set.lanes()).product(w, x, y, yAt, stride, from, to, add, scratch);
        } else {
            product(function, w, x, y, yAt, stride, from, to, add, scratch);
        }
    }

    private void product(
            MemorySegment function,
            PackedMatrix w,
            Activations activations,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        ByteActivations x = (ByteActivations) activations;
        int group = w.groupRows();
        if (group != 2 * set.lanes()
                || w.blocks() != x.blocks()
                || from < 0
                || to > w.rows()
                || from % group != 0
                || to % group != 0) {
            throw new IllegalArgumentException(
                    "rows %d to %d of a matrix of %d x %d blocks, in groups of %d, times rows of %d blocks"
                            .formatted(from, to, w.rows(), w.blocks(), group, x.blocks()));
        }
        long groupBytes = (long) w.blocks() * w.groupBlockBytes();
        int some = group * (int) Math.clamp(CALL_BYTES / groupBytes, 1, (to - from) / group);
        int tile = x.tile();
        MemorySegment sums = scratch.outside(4L * tile * some);
        for (int row = from; row < to; row += some) {
            int count = Math.min(some, to - row);
            MemorySegment weights =
                    w.data().asSlice(w.offset(row, 0), count / group * groupBytes);
            for (int t = 0; t < x.rows(); t += tile) {
                int rows = Math.min(tile, x.rows() - t);
                int at = yAt + t * stride + row;
                if (add) {
                    for (int i = 0; i < rows; i++) {
                        MemorySegment.copy(
                                y, at + i * stride, sums, JAVA_FLOAT, 4L * i * count, count);
                    }
                } else {
                    sums.asSlice(0, 4L * rows * count).fill((byte) 0);
                }
                call(function, weights, x.tile(t), sums, count, w.blocks(), count / group);
                for (int i = 0; i < rows; i++) {
                    MemorySegment.copy(sums, JAVA_FLOAT, 4L * i * count, y, at + i * stride, count);
                }
            }
        }
    }

    private static void call(
            MemorySegment function,
            MemorySegment weights,
            MemorySegment tile,
            MemorySegment sums,
            int stride,
            int blocks,
            int groups) {
        try {
            Calls.PRODUCT.invokeExact(
                    function, weights, tile, sums, 4L * stride, (long) blocks, (long) groups);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void quantize(
            float[] x, int at, int from, int to, Activations out, int row, Scratch scratch) {
        int blocks = (to - from) / PackedMatrix.UNIT;
        if (blocks == 0) {
            return;
        }
        ByteActivations bytes = (ByteActivations) out;
        int first = from / PackedMatrix.UNIT;
        MemorySegment floats = MemorySegment.ofArray(x).asSlice(4L * (at + from), 4L * (to - from));
        try {
            Calls.QUANTIZE.invokeExact(
                    quantize,
                    floats,
                    bytes.quants(row, first, blocks),
                    bytes.scales(row, first, blocks),
                    bytes.sums(row, first, blocks),
                    bytes.step(),
                    (long) blocks);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, int size, float epsilon, float[] out) {
        rest.rmsNorm(x, at, weight, size, epsilon, out);
    }

    @Override
    public void siluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        rest.siluTimes(gate, gateAt, up, upAt, count);
    }

    @Override
    public void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt) {
        rest.scores(q, qAt, headDim, keys, at, scale, scores, scoresAt);
    }

    @Override
    public void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        rest.mix(weights, weightsAt, count, values, at, headDim, out, outAt);
    }

    @Override
    public void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride) {
        rest.fourScores(q, qAt, headDim, keys, at, scale, scores, scoresAt, stride);
    }

    @Override
    public void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        rest.fourMixes(weights, weightsAt, stride, count, values, at, headDim, out, outAt);
    }

    @Override
    public void scores(
            float[] work,
            int qAt,
            int queries,
            int headDim,
            MemorySegment[] blocks,
            long at,
            int positions,
            float scale,
            int scoresAt,
            int stride,
            Scratch scratch) {
        if (EmittedAttention.takes(headDim)) {
            attention.scores(
                    work, qAt, queries, headDim, blocks, at, positions, scale, scoresAt, stride,
                    scratch);
        } else {
            Kernels.super.scores(
                    work, qAt, queries, headDim, blocks, at, positions, scale, scoresAt, stride,
                    scratch);
        }
    }

    @Override
    public void mix(
            float[] work,
            int weightsAt,
            int stride,
            int queries,
            MemorySegment[] blocks,
            long at,
            int positions,
            int headDim,
            int outAt,
            Scratch scratch) {
        if (EmittedAttention.takes(headDim)) {
            attention.mix(
                    work, weightsAt, stride, queries, blocks, at, positions, headDim, outAt,
                    scratch);
        } else {
            Kernels.super.mix(
                    work, weightsAt, stride, queries, blocks, at, positions, headDim, outAt,
                    scratch);
        }
    }

    @Override
    public void softmax(float[] scores, int at, int count) {
        rest.softmax(scores, at, count);
    }

    @Override
    public double logSumExp(float[] x, int at, int count) {
        return rest.logSumExp(x, at, count);
    }
}
