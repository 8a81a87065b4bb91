package dev.penjing.inference.machine;

/// Writes x86-64 machine code: the few instructions that the kernels need, named as in Intel's
/// manual, operands in Intel's order. Code is written in the manner of Xbyak: a method call is an
/// instruction. `AssemblerTest` holds every one against the bytes of GNU as.
final class Assembler extends InstructionEncoder {
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

    // ---- vectors: moves

    void vmovups(Vec to, Operand from) {
        vector(NONE, M0F, 0x10, Tuple.FULL, to.bits(), to.index(), 0, from);
    }

    void vmovups(Mem to, Vec from) {
        vector(NONE, M0F, 0x11, Tuple.FULL, from.bits(), from.index(), 0, to);
    }

    /// A value of 32 bits into the lowest lane, zeros into the others.
    void vmovd(Vec to, Reg from) {
        vector(P66, M0F, 0x6e, Tuple.DWORD, 128, to.index(), 0, new Vec(from.ordinal(), 128));
    }

    void vmovd(Mem to, Vec from) {
        vector(P66, M0F, 0x7e, Tuple.DWORD, 128, from.index(), 0, to);
    }

    /// 32 bits from memory or from the lowest lane into all lanes.
    void vpbroadcastd(Vec to, Operand from) {
        vector(P66, M0F38, 0x58, Tuple.DWORD, to.bits(), to.index(), 0, from);
    }

    /// The same 32 bits in all lanes. Changes RAX.
    void repeat(Vec to, int value) {
        mov32(Reg.RAX, value);
        vmovd(to.low(128), Reg.RAX);
        vpbroadcastd(to, to.low(128));
    }

    /// Four lanes out of four, two bits of `order` each, in each 128 bits.
    void vpshufd(Vec to, Operand from, int order) {
        vector(P66, M0F, 0x70, Tuple.FULL, to.bits(), to.index(), 0, from);
        bytes(order);
    }

    /// Lanes of `from` by their numbers in `order`.
    void vpermd(Vec to, Vec order, Operand from) {
        full(P66, M0F38, 0x36, to, order, from);
    }

    /// The upper 128 of 256 bits.
    void vextracti128(Vec to, Vec from) {
        vector(P66, M0F3A, 0x39, Tuple.FULL, 256, from.index(), 0, to);
        bytes(1);
    }

    // ---- vectors: whole numbers

    void vpand(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xdb, to, a, b);
    }

    void vpor(Vec to, Vec a, Operand b) {
        full(P66, M0F, 0xeb, to, a, b);
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
        vector(P66, M0F, 0x72, Tuple.FULL, to.bits(), kind, to.index(), from);
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

    /// Bytes of `a` by their numbers in `b`, in each 128 bits.
    void vpshufb(Vec to, Vec a, Operand b) {
        full(P66, M0F38, 0x00, to, a, b);
    }

    /// Bytes without their sign.
    void vpabsb(Vec to, Operand from) {
        vector(P66, M0F38, 0x1c, Tuple.FULL, to.bits(), to.index(), 0, from);
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
        vector(NONE, M0F, 0x5b, Tuple.FULL, to.bits(), to.index(), 0, from);
    }

    /// To the nearest whole number, the even one of two.
    void vcvtps2dq(Vec to, Operand from) {
        vector(P66, M0F, 0x5b, Tuple.FULL, to.bits(), to.index(), 0, from);
    }

    /// From float16, half as many bits.
    void vcvtph2ps(Vec to, Operand from) {
        Operand half = from instanceof Vec v ? v.low(to.bits() / 2) : from;
        vector(P66, M0F38, 0x13, Tuple.HALF, to.bits(), to.index(), 0, half);
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
}
