package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.util.Objects.requireNonNull;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.ByteActivations;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Matrix products in emitted code. Sums go through memory outside the heap, so that the JVM can
/// collect garbage while they are computed.
final class EmittedProducts {
    private static final System.Logger LOG = System.getLogger("penjing");

    /// Packed weights that go through a call at most: they stay in a cache of the second level
    /// while tile after tile of activations meets them, and the call is over in microseconds.
    private static final long CALL_BYTES = 128 << 10;

    /// Made only where native access is allowed: the JVM would warn.
    private static final class Calls {
        static final MethodHandle PRODUCT =
                CodePage.ordinary(
                        FunctionDescriptor.ofVoid(
                                ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    }

    /// The functions of a weight format, one for each number of rows in a tile: null if it was not
    /// needed yet, [MemorySegment#NULL] if it is not to be used.
    private static final class Products {
        private final @Nullable MemorySegment[] code =
                new @Nullable MemorySegment[ProductCode.MOST_ROWS + 1];
    }

    private final InstructionSet set;
    private final Map<WeightFormat, Products> products;
    private final Scratch checking = new Scratch();

    EmittedProducts(InstructionSet set) {
        this.set = set;
        this.products =
                WeightFormat.all().stream()
                        .collect(Collectors.toUnmodifiableMap(f -> f, f -> new Products()));
    }

    /// Whether the simplest functions of the commonest formats compute what plain Java does.
    boolean areRight() {
        return Stream.of(WeightFormat.Q4_0, WeightFormat.Q8_0)
                .noneMatch(format -> code(format, 1).equals(MemorySegment.NULL));
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
                    set.lanes(),
                    format,
                    rows,
                    (w, x, y) -> run(function, w, x, y, 0, w.rows(), 0, w.rows(), true, checking));
            functions[rows] = function;
            return function;
        } catch (UnsupportedOperationException e) {
            LOG.log(System.Logger.Level.WARNING, "{0}: computed in plain Java", e.getMessage());
            functions[rows] = MemorySegment.NULL;
            return MemorySegment.NULL;
        }
    }

    /// As [dev.penjing.inference.kernel.Kernels#product].
    void run(
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
            run(function, w, x, y, yAt, stride, from, to, add, scratch);
        }
    }

    private void run(
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
        long groupBytes = w.groupBytes();
        int some = group * (int) Math.clamp(CALL_BYTES / groupBytes, 1, (to - from) / group);
        int tile = x.tile();
        MemorySegment sums = scratch.outside(4L * tile * some);
        for (int row = from; row < to; row += some) {
            int count = Math.min(some, to - row);
            MemorySegment weights = w.data().asSlice(w.offset(row, 0), count / group * groupBytes);
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
}
