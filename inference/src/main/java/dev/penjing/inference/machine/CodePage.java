package dev.penjing.inference.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Memory with machine code in it, on Linux. It is mapped to be written, filled, and then made
/// readable and executable: never writable and executable at once. It stays for as long as the
/// process lives.
///
/// `/proc/PID/maps` names such memory `[anon:penjing-kernels]` where the system can; with
/// `-Dpenjing.perf.map=true`, `/tmp/perf-PID.map` names each function, as perf expects it of
/// programs that write code.
final class CodePage {
    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final long PAGE = 4096;
    private static final int PR_SET_VMA = 0x53564d41;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle MMAP =
            system(
                    "mmap",
                    FunctionDescriptor.of(
                            ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    private static final MethodHandle MPROTECT =
            system("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
    private static final MethodHandle MUNMAP =
            system("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
    private static final MethodHandle PRCTL =
            system(
                    "prctl",
                    FunctionDescriptor.of(
                            JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS),
                    Linker.Option.firstVariadicArg(1));

    private CodePage() {}

    private static MethodHandle system(
            String name, FunctionDescriptor type, Linker.Option... options) {
        Linker.Option[] all = new Linker.Option[options.length + 1];
        System.arraycopy(options, 0, all, 0, options.length);
        all[options.length] = Linker.Option.captureCallState("errno");
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, all);
    }

    /// Where a copy of the code lies from now on.
    ///
    /// @param name for those who look at the process from outside
    /// @throws UnsupportedOperationException if the system forbids it, as SELinux, a sandbox or
    ///   systemd's MemoryDenyWriteExecute do
    static MemorySegment load(String name, byte[] code) {
        long bytes = (code.length + PAGE - 1) / PAGE * PAGE;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            MemorySegment memory =
                    (MemorySegment)
                            MMAP.invokeExact(
                                    state,
                                    MemorySegment.NULL,
                                    bytes,
                                    READ | WRITE,
                                    PRIVATE_ANONYMOUS,
                                    -1,
                                    0L);
            if (memory.address() == -1) {
                throw refused("mmap", state);
            }
            MemorySegment page = memory.reinterpret(bytes);
            MemorySegment.copy(code, 0, page, JAVA_BYTE, 0, code.length);
            if ((int) MPROTECT.invokeExact(state, memory, bytes, READ | EXECUTE) != 0) {
                UnsupportedOperationException refused = refused("mprotect", state);
                int unmapped = (int) MUNMAP.invokeExact(state, memory, bytes);
                throw unmapped == 0 ? refused : refused("munmap", state);
            }
            // a name is for people: where the system has no such call, it does without
            MemorySegment shown = Arena.global().allocateFrom("penjing-kernels");
            int _ = (int) PRCTL.invokeExact(state, PR_SET_VMA, 0L, memory, bytes, shown);
            if (Boolean.getBoolean("penjing.perf.map")) {
                tellPerf(name, memory.address(), code.length);
            }
            return page.asReadOnly();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static UnsupportedOperationException refused(String call, MemorySegment state) {
        return new UnsupportedOperationException(
                "%s of code was refused, error %d".formatted(call, (int) ERRNO.get(state, 0L)));
    }

    private static void tellPerf(String name, long address, int bytes) throws IOException {
        Path map = Path.of("/tmp/perf-%d.map".formatted(ProcessHandle.current().pid()));
        Files.writeString(
                map,
                "%x %x penjing:%s%n".formatted(address, bytes, name),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }

    /// A handle that calls code at an address, its first argument: the JVM lets the code run beside
    /// everything else, a garbage collection too. Arguments are memory outside the heap.
    static MethodHandle ordinary(FunctionDescriptor type) {
        return LINKER.downcallHandle(type);
    }

    /// A handle whose calls may be given arrays of the heap. While one runs no garbage is
    /// collected, and no thread can be stopped: it has to be over in microseconds.
    static MethodHandle critical(FunctionDescriptor type) {
        return LINKER.downcallHandle(type, Linker.Option.critical(true));
    }
}
