package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R8;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R9;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RAX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RBX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RCX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSI;
import static dev.penjing.inference.machine.InstructionEncoder.at;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// What this processor can do and the system lets programs use, asked of the processor itself by
/// CPUID and XGETBV (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
/// chapter 13).
///
/// @param avx2 AVX2, FMA and float16 conversion
/// @param vnni VPDPBUSD on 256 bits without AVX-512 (AVX-VNNI)
/// @param avx512 AVX-512 F, BW, DQ and VL
/// @param vnni512 VPDPBUSD on 512 bits
record Processor(boolean avx2, boolean vnni, boolean avx512, boolean vnni512) {
    private static final int LEAF_FEATURES = 1;
    private static final int LEAF_EXTENDED = 7;

    /// Which registers the system saves when it switches threads: of 256, and of 512 bits.
    private static final int SAVES_YMM = 0x6;

    private static final int SAVES_ZMM = 0xe6;

    /// Asks this processor, on x86-64 and Linux.
    ///
    /// @throws UnsupportedOperationException if the system forbids code that was written at run
    ///   time
    static Processor ask() {
        MethodHandle call =
                CodePage.ordinary(FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, ADDRESS));
        MemorySegment cpuid = CodePage.load("cpuid", cpuid());
        try (Arena arena = Arena.ofConfined()) {
            int[] highest = ask(call, cpuid, arena, 0, 0);
            int[] features = ask(call, cpuid, arena, LEAF_FEATURES, 0);
            if (highest[0] < LEAF_EXTENDED || !bit(features[2], 27)) {
                return new Processor(false, false, false, false);
            }
            int[] extended = ask(call, cpuid, arena, LEAF_EXTENDED, 0);
            int[] more = ask(call, cpuid, arena, LEAF_EXTENDED, 1);
            int saved = features[4];
            boolean avx2 =
                    (saved & SAVES_YMM) == SAVES_YMM
                            && bit(extended[1], 5)
                            && bit(features[2], 12)
                            && bit(features[2], 29);
            boolean avx512 =
                    avx2
                            && (saved & SAVES_ZMM) == SAVES_ZMM
                            && bit(extended[1], 16)
                            && bit(extended[1], 17)
                            && bit(extended[1], 30)
                            && bit(extended[1], 31);
            return new Processor(
                    avx2,
                    avx2 && extended[0] >= 1 && bit(more[0], 4),
                    avx512,
                    avx512 && bit(extended[2], 11));
        }
    }

    private static boolean bit(int word, int n) {
        return (word >> n & 1) == 1;
    }

    private static int[] ask(
            MethodHandle call, MemorySegment cpuid, Arena arena, long leaf, long part) {
        MemorySegment answer = arena.allocate(JAVA_INT, 5);
        try {
            call.invokeExact(cpuid, leaf, part, answer);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        return answer.toArray(JAVA_INT);
    }

    /// (leaf, part, int[5]): EAX, EBX, ECX, EDX, and for the leaf of features, where XGETBV is
    /// there, which registers the system saves.
    private static byte[] cpuid() {
        Assembler a = new Assembler();
        a.push(RBX);
        a.mov(R8, RDX);
        a.mov(RAX, RDI);
        a.mov(RCX, RSI);
        a.mov(R9, RDI);
        a.cpuid();
        a.mov32(at(R8, 0), RAX);
        a.mov32(at(R8, 4), RBX);
        a.mov32(at(R8, 8), RCX);
        a.mov32(at(R8, 12), RDX);
        InstructionEncoder.Label end = new InstructionEncoder.Label();
        a.cmp(R9, LEAF_FEATURES);
        a.jne(end);
        // OSXSAVE: the system has turned XGETBV on
        a.and(RCX, 1 << 27);
        a.je(end);
        a.mov32(RCX, 0);
        a.xgetbv();
        a.mov32(at(R8, 16), RAX);
        a.bind(end);
        a.pop(RBX);
        a.ret();
        return a.code();
    }
}
