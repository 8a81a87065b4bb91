package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Block;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.VectorKernels;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// A program that multiplies random matrices, of random shapes and numbers of rows, whose memory
/// ends where a page begins that nobody may touch, while the heap is kept busy. A byte read too far
/// ends the process.
///
/// Usage: `Guarded SECONDS SEED`, which says how many products it made. By hand, for hours: `java
/// --enable-native-access=ALL-UNNAMED --add-modules=jdk.incubator.vector -cp ... Guarded 36000 1`
public final class Guarded {
    private static final long PAGE = 4096;
    private static final Linker LINKER = Linker.nativeLinker();

    private final Random random;
    private Object garbage = new Object();

    private Guarded(long seed) {
        random = new Random(seed);
    }

    public static void main(String[] args) throws Throwable {
        Guarded guarded = new Guarded(Long.parseLong(args[1]));
        long end = System.nanoTime() + (long) (Double.parseDouble(args[0]) * 1e9);
        int done = 0;
        while (System.nanoTime() < end) {
            for (InstructionSet set : InstructionSet.values()) {
                if (set.isOn(Processor.ask())) {
                    guarded.round(EmittedKernels.named(set.option(), new VectorKernels()));
                    done++;
                }
            }
        }
        System.out.println("products: " + done);
    }

    /// Memory that ends at a page without rights.
    private static MemorySegment guarded(long bytes, long alignment) {
        long size = (bytes + PAGE - 1) / PAGE * PAGE;
        try {
            MemorySegment memory =
                    (MemorySegment)
                            function(
                                            "mmap",
                                            FunctionDescriptor.of(
                                                    ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT,
                                                    JAVA_INT, JAVA_LONG))
                                    .invokeExact(MemorySegment.NULL, size + PAGE, 3, 0x22, -1, 0L);
            MemorySegment guard = memory.reinterpret(size + PAGE).asSlice(size);
            int refused =
                    (int)
                            function(
                                            "mprotect",
                                            FunctionDescriptor.of(
                                                    JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT))
                                    .invokeExact(guard, PAGE, 0);
            if (refused != 0 || memory.address() == -1) {
                throw new IllegalStateException("no guarded memory");
            }
            return memory.reinterpret(size).asSlice(size - bytes, bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void release(MemorySegment memory) throws Throwable {
        long from = memory.address() / PAGE * PAGE;
        long bytes = memory.address() + memory.byteSize() - from + PAGE;
        int unmapped =
                (int)
                        function("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG))
                                .invokeExact(MemorySegment.ofAddress(from), bytes);
        if (unmapped != 0) {
            throw new IllegalStateException("memory was not released");
        }
    }

    private static java.lang.invoke.MethodHandle function(String name, FunctionDescriptor type) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
    }

    private void round(Kernels kernels) throws Throwable {
        List<WeightFormat> formats = WeightFormat.all();
        WeightFormat format = formats.get(random.nextInt(formats.size()));
        int outputs = 32 * random.nextInt(1, 6);
        int columns =
                format.scales().inSuperBlocks()
                        ? 256 * random.nextInt(1, 4)
                        : 32 * random.nextInt(1, 20);
        int rows = random.nextInt(1, 41);
        java.util.ArrayList<MemorySegment> mapped = new java.util.ArrayList<>();
        SegmentAllocator memory =
                (bytes, alignment) -> {
                    mapped.add(guarded(bytes, alignment));
                    return mapped.getLast();
                };
        PackedMatrix w = new PackedMatrix(format, outputs, columns, kernels.lanes(), memory);
        for (int row = 0; row < outputs; row++) {
            for (int block = 0; block < columns / 32; block++) {
                w.set(row, block, Block.random(format, random, random.nextBoolean()));
            }
        }
        Activations x = kernels.activations(rows, columns, List.of(w), memory);
        x.setRows(rows);
        float[] values = floats(rows * columns);
        Scratch scratch = new Scratch();
        for (int row = 0; row < rows; row++) {
            kernels.quantize(values, row * columns, 0, columns, x, row, scratch);
            garbage = new byte[random.nextInt(1 << 18)];
        }
        float[] y = floats(rows * outputs);
        float[] expected = y.clone();
        kernels.product(w, x, y, 0, outputs, 0, outputs, true, scratch);
        new ScalarKernels(kernels.lanes())
                .product(w, x, expected, 0, outputs, 0, outputs, true, scratch);
        if (!Arrays.equals(y, expected) || garbage == null) {
            throw new AssertionError(
                    "%s: %d rows times %d x %d".formatted(format, rows, outputs, columns));
        }
        for (MemorySegment each : mapped) {
            release(each);
        }
    }

    private float[] floats(int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
