package dev.penjing.inference.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Writes x86-64 machine code: the few instructions that the kernels need, named as in Intel's
/// manual, operands in Intel's order (Intel 64 and IA-32 Architectures Software Developer's Manual,
/// volume 2). Code is written in the manner of Xbyak: a method call is an instruction.
///
/// An instruction is its prefix, its opcode, and an operand byte (ModRM) with what belongs to it.
/// The prefix has one of three forms: REX, of whole-number instructions; VEX, of vectors up to 256
/// bits; EVEX, of 512 bits, of vector registers above 15, and of values that are repeated from
/// memory. `AssemblerTest` holds every instruction against the bytes of GNU as.
final class Assembler {
    /// A register of 64 bits, in the order of the numbers that instructions know them by.
    enum Reg {
        RAX,
        RCX,
        RDX,
        RBX,
        RSP,
        RBP,
        RSI,
        RDI,
        R8,
        R9,
        R10,
        R11,
        R12,
        R13,
        R14,
        R15
    }

    /// A vector register or a place in memory.
    sealed interface Operand permits Vec, Mem {}

    /// A vector register: xmm, ymm or zmm, as it has 128, 256 or 512 bits.
    record Vec(int index, int bits) implements Operand {
        /// The register's lower part.
        Vec low(int fewer) {
            return new Vec(index, fewer);
        }
    }

    /// Memory at a register's address plus a displacement in bytes.
    record Mem(Reg base, int displacement) implements Operand {
        Mem plus(int bytes) {
            return new Mem(base, displacement + bytes);
        }
    }

    /// A place in the code to jump to.
    static final class Label {
        private int at = -1;
        private final List<Integer> uses = new ArrayList<>();
    }

    /// How long a vector instruction's operand in memory is: EVEX counts displacements in it.
    private enum Tuple {
        FULL,
        HALF,
        DWORD
    }

    // which prefix byte of old an instruction would have had, and which table its opcode is in
    private static final int NONE = 0;
    private static final int P66 = 1;
    private static final int PF3 = 2;
    private static final int M0F = 1;
    private static final int M0F38 = 2;
    private static final int M0F3A = 3;

    private byte[] code = new byte[1024];
    private int size;

    static Mem at(Reg base, int displacement) {
        return new Mem(base, displacement);
    }

    /// The code so far.
    byte[] code() {
        return Arrays.copyOf(code, size);
    }

    // ---- whole numbers and jumps

    void mov(Reg to, Reg from) {
        legacy(true, from.ordinal(), new Vec(to.ordinal(), 64), 0x89);
    }

    void mov(Reg to, Mem from) {
        legacy(true, to.ordinal(), from, 0x8b);
    }

    /// 64 bits, whatever they are.
    void mov(Reg to, long value) {
        bytes(0x48 | to.ordinal() >> 3, 0xb8 | to.ordinal() & 7);
        int32((int) value);
        int32((int) (value >> 32));
    }

    /// The upper half becomes zero.
    void mov32(Reg to, int value) {
        if (to.ordinal() > 7) {
            bytes(0x41);
        }
        bytes(0xb8 | to.ordinal() & 7);
        int32(value);
    }

    /// The lower half.
    void mov32(Mem to, Reg from) {
        legacy(false, from.ordinal(), to, 0x89);
    }

    void add(Reg to, Reg from) {
        legacy(true, from.ordinal(), new Vec(to.ordinal(), 64), 0x01);
    }

    void add(Reg to, int value) {
        immediate(0, to, value);
    }

    void sub(Reg to, int value) {
        immediate(5, to, value);
    }

    void and(Reg to, int value) {
        immediate(4, to, value);
    }

    void cmp(Reg a, int value) {
        immediate(7, a, value);
    }

    void push(Reg r) {
        stack(0x50, r);
    }

    void pop(Reg r) {
        stack(0x58, r);
    }

    void ret() {
        bytes(0xc3);
    }

    void cpuid() {
        bytes(0x0f, 0xa2);
    }

    void xgetbv() {
        bytes(0x0f, 0x01, 0xd0);
    }

    void prefetcht0(Mem m) {
        legacy(false, 1, m, 0x0f, 0x18);
    }

    /// Here it is.
    void bind(Label label) {
        label.at = size;
        for (int use : label.uses) {
            patch(use, size - use - 4);
        }
    }

    void jmp(Label to) {
        jump(to, 0xe9);
    }

    /// If zero, or equal.
    void je(Label to) {
        jump(to, 0x0f, 0x84);
    }

    /// If not zero, or not equal.
    void jne(Label to) {
        jump(to, 0x0f, 0x85);
    }

    /// Fills up to a multiple of `bytes` with instructions that do nothing.
    void align(int bytes) {
        while (size % bytes != 0) {
            bytes(0x90);
        }
    }

    // ---- vectors: moves

    void vmovups(Vec to, Operand from) {
        vector(NONE, M0F, 0x10, Tuple.FULL, to.bits, to.index, 0, from);
    }

    void vmovups(Mem to, Vec from) {
        vector(NONE, M0F, 0x11, Tuple.FULL, from.bits, from.index, 0, to);
    }

    /// A value of 32 bits into the lowest lane, zeros into the others.
    void vmovd(Vec to, Reg from) {
        vector(P66, M0F, 0x6e, Tuple.DWORD, 128, to.index, 0, new Vec(from.ordinal(), 128));
    }

    void vmovd(Mem to, Vec from) {
        vector(P66, M0F, 0x7e, Tuple.DWORD, 128, from.index, 0, to);
    }

    /// 32 bits from memory or from the lowest lane into all lanes.
    void vpbroadcastd(Vec to, Operand from) {
        vector(P66, M0F38, 0x58, Tuple.DWORD, to.bits, to.index, 0, from);
    }

    /// The same 32 bits in all lanes. Changes RAX.
    void repeat(Vec to, int value) {
        mov32(Reg.RAX, value);
        vmovd(to.low(128), Reg.RAX);
        vpbroadcastd(to, to.low(128));
    }

    /// Four lanes out of four, two bits of `order` each, in each 128 bits.
    void vpshufd(Vec to, Operand from, int order) {
        vector(P66, M0F, 0x70, Tuple.FULL, to.bits, to.index, 0, from);
        bytes(order);
    }

    /// Lanes of `from` by their numbers in `order`.
    void vpermd(Vec to, Vec order, Operand from) {
        full(P66, M0F38, 0x36, to, order, from);
    }

    /// The upper 128 of 256 bits.
    void vextracti128(Vec to, Vec from) {
        vector(P66, M0F3A, 0x39, Tuple.FULL, 256, from.index, 0, to);
        bytes(1);
    }

    // ---- vectors: whole numbers

    void vpand(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xdb, to, a, b);
    }

    void vpxor(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xef, to, a, b);
    }

    void vpaddd(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xfe, to, a, b);
    }

    void vpsubd(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xfa, to, a, b);
    }

    void vpaddw(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xfd, to, a, b);
    }

    void vpmaxsd(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0x3d, to, a, b);
    }

    void vpsrld(Vec to, Vec from, int bits) {
        shift(2, to, from, bits);
    }

    void vpsrad(Vec to, Vec from, int bits) {
        shift(4, to, from, bits);
    }

    void vpslld(Vec to, Vec from, int bits) {
        shift(6, to, from, bits);
    }

    private void shift(int kind, Vec to, Vec from, int bits) {
        vector(P66, M0F, 0x72, Tuple.FULL, to.bits, kind, to.index, from);
        bytes(bits);
    }

    /// Pairs of 16 bits, with sign: to = a0 b0 + a1 b1, of 32 bits.
    void vpmaddwd(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xf5, to, a, b);
    }

    /// Pairs of bytes, of `a` without and of `b` with sign: to = a0 b0 + a1 b1, of 16 bits, the
    /// nearest where it is too large.
    void vpmaddubsw(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0x04, to, a, b);
    }

    /// Fours of bytes, of `a` without and of `b` with sign: to += a0 b0 + ... + a3 b3, of 32 bits.
    /// VNNI.
    void vpdpbusd(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0x50, to, a, b);
    }

    /// Bytes without their sign.
    void vpabsb(Vec to, Operand from) {
        vector(P66, M0F38, 0x1c, Tuple.FULL, to.bits, to.index, 0, from);
    }

    /// Bytes of `a` times the sign of those of `b`: -1, 0 or 1. Of at most 256 bits.
    void vpsignb(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0x08, to, a, b);
    }

    /// 32 to 16 bits, the nearest where it is too large; `a` and `b` in turn every 64 bits.
    void vpackssdw(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0x6b, to, a, b);
    }

    /// 16 to 8 bits in the same way.
    void vpacksswb(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0x63, to, a, b);
    }

    // ---- vectors: floats

    void vcvtdq2ps(Vec to, Operand from) {
        vector(NONE, M0F, 0x5b, Tuple.FULL, to.bits, to.index, 0, from);
    }

    /// To the nearest whole number, the even one of two.
    void vcvtps2dq(Vec to, Operand from) {
        vector(P66, M0F, 0x5b, Tuple.FULL, to.bits, to.index, 0, from);
    }

    /// From float16, half as many bits.
    void vcvtph2ps(Vec to, Operand from) {
        Operand half = from instanceof Vec v ? v.low(to.bits / 2) : from;
        vector(P66, M0F38, 0x13, Tuple.HALF, to.bits, to.index, 0, half);
    }

    void vaddps(Vec to, Vec a, Operand b) {
        full(NONE, M0F, 0x58, to, a, b);
    }

    void vmulps(Vec to, Vec a, Operand b) {
        full(NONE, M0F, 0x59, to, a, b);
    }

    void vdivps(Vec to, Vec a, Operand b) {
        full(NONE, M0F, 0x5e, to, a, b);
    }

    /// to = a * b + to, rounded once.
    void vfmadd231ps(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0xb8, to, a, b);
    }

    /// to = a * to + b, rounded once.
    void vfmadd213ps(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0xa8, to, a, b);
    }

    /// Ones where a < b does not hold, as for NaN. Of at most 256 bits.
    void vcmpnltps(Vec to, Vec a, Operand b) {
        full(NONE, M0F, 0xc2, to, a, b);
        bytes(5);
    }

    /// Leaves the upper halves of vector registers as code without AVX expects them.
    void vzeroupper() {
        bytes(0xc5, 0xf8, 0x77);
    }

    // ---- encoding

    private void full(int prefix, int map, int opcode, Vec to, Vec a, Operand b) {
        vector(prefix, map, opcode, Tuple.FULL, to.bits, to.index, a.index, b);
    }

    private void vector(
            int prefix,
            int map,
            int opcode,
            Tuple tuple,
            int bits,
            int reg,
            int second,
            Operand third) {
        boolean high = reg > 15 || second > 15 || third instanceof Vec v && v.index > 15;
        if (bits == 512 || high) {
            int unit =
                    switch (tuple) {
                        case FULL -> bits / 8;
                        case HALF -> bits / 16;
                        case DWORD -> 4;
                    };
            evex(prefix, map, opcode, unit, bits, reg, second, third);
        } else {
            vex(prefix, map, opcode, bits, reg, second, third);
        }
    }

    /// Volume 2, section 2.3.5. Numbers of registers stand there inverted, bit by bit.
    private void vex(
            int prefix, int map, int opcode, int bits, int reg, int second, Operand third) {
        int r = ~reg >> 3 & 1;
        int b = ~high(third) & 1;
        int last = (~second & 15) << 3 | (bits == 256 ? 4 : 0) | prefix;
        if (map == M0F && b == 1) {
            bytes(0xc5, r << 7 | last);
        } else {
            bytes(0xc4, r << 7 | 1 << 6 | b << 5 | map, last);
        }
        bytes(opcode);
        operand(reg, third, 1);
    }

    /// Volume 2, section 2.7.1.
    private void evex(
            int prefix,
            int map,
            int opcode,
            int unit,
            int bits,
            int reg,
            int second,
            Operand third) {
        int x = third instanceof Vec v ? ~v.index >> 4 & 1 : 1;
        int b = ~high(third) & 1;
        int length = bits == 512 ? 2 : bits == 256 ? 1 : 0;
        bytes(
                0x62,
                (~reg >> 3 & 1) << 7 | x << 6 | b << 5 | (~reg >> 4 & 1) << 4 | map,
                (~second & 15) << 3 | 4 | prefix,
                length << 5 | (~second >> 4 & 1) << 3,
                opcode);
        operand(reg, third, unit);
    }

    /// Bit 3 of the number of the base or only register.
    private static int high(Operand operand) {
        return switch (operand) {
            case Vec v -> v.index >> 3 & 1;
            case Mem m -> m.base.ordinal() >> 3;
        };
    }

    private void immediate(int kind, Reg to, int value) {
        Vec register = new Vec(to.ordinal(), 64);
        if (value == (byte) value) {
            legacy(true, kind, register, 0x83);
            bytes(value);
        } else if (to == Reg.RAX) {
            bytes(0x48, kind << 3 | 5);
            int32(value);
        } else {
            legacy(true, kind, register, 0x81);
            int32(value);
        }
    }

    private void stack(int opcode, Reg r) {
        if (r.ordinal() > 7) {
            bytes(0x41);
        }
        bytes(opcode | r.ordinal() & 7);
    }

    private void jump(Label to, int... opcode) {
        bytes(opcode);
        if (to.at >= 0) {
            int32(to.at - (size + 4));
        } else {
            to.uses.add(size);
            int32(0);
        }
    }

    private void legacy(boolean wide, int reg, Operand third, int... opcode) {
        int rex = reg >> 3 << 2 | high(third);
        if (wide || rex != 0) {
            bytes(0x40 | (wide ? 8 : 0) | rex);
        }
        bytes(opcode);
        operand(reg, third, 1);
    }

    /// The ModRM byte, and what follows it of an address (volume 2, section 2.1.3).
    ///
    /// @param unit of which a displacement of one byte counts multiples
    private void operand(int reg, Operand operand, int unit) {
        int field = (reg & 7) << 3;
        switch (operand) {
            case Vec v -> bytes(0xc0 | field | v.index & 7);
            case Mem m -> {
                int base = m.base.ordinal() & 7;
                int d = m.displacement;
                boolean small = d % unit == 0 && d / unit == (byte) (d / unit);
                // without a displacement, RBP's number would mean an address without a register
                int mode = d == 0 && base != 5 ? 0 : small ? 1 : 2;
                bytes(mode << 6 | field | base);
                if (base == 4) {
                    // RSP's number says that a byte for an index follows: here, that there is none
                    bytes(0x24);
                }
                if (mode == 1) {
                    bytes(d / unit);
                } else if (mode == 2) {
                    int32(d);
                }
            }
        }
    }

    private void bytes(int... values) {
        if (size + values.length > code.length) {
            code = Arrays.copyOf(code, 2 * code.length);
        }
        for (int value : values) {
            code[size++] = (byte) value;
        }
    }

    private void int32(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    private void patch(int at, int value) {
        for (int i = 0; i < 4; i++) {
            code[at + i] = (byte) (value >> 8 * i);
        }
    }
}
