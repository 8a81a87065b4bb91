package dev.penjing.compression.torch;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Keeps memory that libtorch frees within the process, instead of handing every large block back
/// to the system and paying a page fault for each page of the next one. Without this a training
/// step of a small model is up to ten times slower. A no-op where the C library is not glibc.
final class NativeMemory {
    // glibc, malloc.h
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_MAX = -4;
    private static final int M_ARENA_MAX = -8;

    private NativeMemory() {}

    /// Large blocks come from the one growing heap, which is never trimmed.
    static void keepFreed() {
        Optional<MemorySegment> mallopt = Linker.nativeLinker().defaultLookup().find("mallopt");
        if (mallopt.isEmpty()) {
            return;
        }
        MethodHandle call =
                Linker.nativeLinker()
                        .downcallHandle(
                                mallopt.get(),
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.JAVA_INT));
        try {
            int ok = (int) call.invokeExact(M_MMAP_MAX, 0);
            ok &= (int) call.invokeExact(M_TRIM_THRESHOLD, -1);
            ok &= (int) call.invokeExact(M_TOP_PAD, 64 << 20);
            ok &= (int) call.invokeExact(M_ARENA_MAX, 1);
            if (ok == 0) {
                System.getLogger("penjing")
                        .log(System.Logger.Level.WARNING, "mallopt refused: training will be slow");
            }
        } catch (Throwable e) {
            throw new AssertionError("mallopt takes two ints", e);
        }
    }
}
