package dev.penjing.inference.machine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The bytes of x86-64 instructions (Intel 64 and IA-32 Architectures Software Developer's Manual,
/// volume 2, chapter 2), for [Assembler] to give them names.
///
/// An instruction is its prefix, its opcode, and an operand byte (ModRM) with what belongs to it.
/// The prefix has one of three forms: REX, of whole-number instructions; VEX, of vectors up to 256
/// bits; EVEX, of 512 bits and of vector registers above 15.
abstract class InstructionEncoder {
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
    enum Tuple {
        FULL,
        HALF,
        DWORD
    }

    // which prefix byte of old an instruction would have had, and which table its opcode is in
    static final int NONE = 0;
    static final int P66 = 1;
    static final int M0F = 1;
    static final int M0F38 = 2;
    static final int M0F3A = 3;

    private byte[] code = new byte[1024];
    private int size;

    static Mem at(Reg base, int displacement) {
        return new Mem(base, displacement);
    }

    /// The code so far.
    final byte[] code() {
        return Arrays.copyOf(code, size);
    }

    /// Here it is.
    final void bind(Label label) {
        label.at = size;
        for (int use : label.uses) {
            patch(use, size - use - 4);
        }
    }

    /// Fills up to a multiple of `bytes` with instructions that do nothing.
    final void align(int bytes) {
        while (size % bytes != 0) {
            bytes(0x90);
        }
    }

    final void full(int prefix, int map, int opcode, Vec to, Vec a, Operand b) {
        vector(prefix, map, opcode, Tuple.FULL, to.bits, to.index, a.index, b);
    }

    final void vector(
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

    final void immediate(int kind, Reg to, int value) {
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

    final void stack(int opcode, Reg r) {
        if (r.ordinal() > 7) {
            bytes(0x41);
        }
        bytes(opcode | r.ordinal() & 7);
    }

    final void jump(Label to, int... opcode) {
        bytes(opcode);
        if (to.at >= 0) {
            int32(to.at - (size + 4));
        } else {
            to.uses.add(size);
            int32(0);
        }
    }

    final void legacy(boolean wide, int reg, Operand third, int... opcode) {
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

    final void bytes(int... values) {
        if (size + values.length > code.length) {
            code = Arrays.copyOf(code, 2 * code.length);
        }
        for (int value : values) {
            code[size++] = (byte) value;
        }
    }

    final void int32(int value) {
        bytes(value, value >> 8, value >> 16, value >> 24);
    }

    final void patch(int at, int value) {
        for (int i = 0; i < 4; i++) {
            code[at + i] = (byte) (value >> 8 * i);
        }
    }
}
