package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R8;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R9;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RAX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RCX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSP;
import static dev.penjing.inference.machine.InstructionEncoder.at;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.machine.InstructionEncoder.Label;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// Writes the quantisation of activations to eight bits, with AVX2: 32 floats become 32 bytes, a
/// scale, and -8 times sums of the bytes. The numbers are those of the scalar kernels, bit for bit.
///
/// The function's arguments:
///
///     rdi  floats
///     rsi  where the first block's bytes go
///     rdx  where its scale goes
///     rcx  where -8 times its sums go: of all bytes, of the first sixteen, of the last
///     r8   bytes from one block to the next, of all three
///     r9   blocks
final class QuantizeCode {
    private static final int VECTORS = 4;

    /// Lanes of four vectors as packing leaves them, in their order.
    private static final int[] ORDER = {0, 4, 1, 5, 2, 6, 3, 7};

    private final Assembler a = new Assembler();
    private final Vec largest = ymm(4);
    private final Vec spare = ymm(5);
    private final Vec inverse = ymm(6);
    private final Vec sizeMask = ymm(9);
    private final Vec limit = ymm(10);
    private final Vec smallest = ymm(11);
    private final Vec order = ymm(12);
    private final Vec oneBytes = ymm(13);
    private final Vec oneShorts = ymm(14);
    private final Vec zero = ymm(15);

    private QuantizeCode() {}

    static byte[] write() {
        QuantizeCode code = new QuantizeCode();
        code.function();
        return code.a.code();
    }

    private static Vec ymm(int index) {
        return new Vec(index, 256);
    }

    private void function() {
        a.repeat(sizeMask, 0x7fffffff);
        a.repeat(limit, Float.floatToRawIntBits(127));
        a.repeat(smallest, Float.floatToRawIntBits(Kernels.SMALLEST));
        a.repeat(oneBytes, 0x01010101);
        a.repeat(oneShorts, 0x00010001);
        a.vpxor(zero, zero, zero);
        for (int i = ORDER.length - 2; i >= 0; i -= 2) {
            a.mov(RAX, (long) ORDER[i + 1] << 32 | ORDER[i]);
            a.push(RAX);
        }
        a.vmovups(order, at(RSP, 0));
        a.add(RSP, 4 * ORDER.length);
        Label next = new Label();
        a.align(32);
        a.bind(next);
        findLargest();
        scales();
        bytes();
        offsets();
        a.add(RDI, 128);
        a.add(RSI, R8);
        a.add(RDX, R8);
        a.add(RCX, R8);
        a.sub(R9, 1);
        a.jne(next);
        a.vzeroupper();
        a.ret();
    }

    /// In all lanes. Sizes are compared as whole numbers, whose order is theirs; a NaN is larger
    /// than all, and so is not lost.
    private void findLargest() {
        for (int i = 0; i < VECTORS; i++) {
            a.vmovups(ymm(i), at(RDI, 32 * i));
        }
        a.vpand(largest, ymm(0), sizeMask);
        for (int i = 1; i < VECTORS; i++) {
            a.vpand(spare, ymm(i), sizeMask);
            a.vpmaxsd(largest, largest, spare);
        }
        Vec low = largest.low(128);
        a.vextracti128(spare.low(128), largest);
        a.vpmaxsd(low, low, spare.low(128));
        a.vpshufd(spare.low(128), low, 0b01_00_11_10);
        a.vpmaxsd(low, low, spare.low(128));
        a.vpshufd(spare.low(128), low, 0b10_11_00_01);
        a.vpmaxsd(low, low, spare.low(128));
        a.vpbroadcastd(largest, low);
    }

    /// The scale, and its inverse, which is zero where it would be infinite.
    private void scales() {
        a.vdivps(spare.low(128), largest.low(128), limit.low(128));
        a.vmovd(at(RDX, 0), spare);
        // not less, rather than greater or equal: a NaN stays one
        a.vcmpnltps(spare, largest, smallest);
        a.vdivps(inverse, limit, largest);
        a.vpand(inverse, inverse, spare);
    }

    private void bytes() {
        for (int i = 0; i < VECTORS; i++) {
            a.vmulps(ymm(i), ymm(i), inverse);
            a.vcvtps2dq(ymm(i), ymm(i));
        }
        a.vpackssdw(ymm(0), ymm(0), ymm(1));
        a.vpackssdw(ymm(2), ymm(2), ymm(3));
        a.vpacksswb(ymm(0), ymm(0), ymm(2));
        a.vpermd(ymm(0), order, ymm(0));
        a.vmovups(at(RSI, 0), ymm(0));
    }

    private void offsets() {
        Vec sum = ymm(1);
        Vec first = sum.low(128);
        Vec last = ymm(2).low(128);
        a.vpmaddubsw(sum, oneBytes, ymm(0));
        a.vpmaddwd(sum, sum, oneShorts);
        a.vextracti128(last, sum);
        offset(first);
        offset(last);
        a.vmovd(at(RCX, 4), first);
        a.vmovd(at(RCX, 8), last);
        a.vpaddd(first, first, last);
        a.vmovd(at(RCX, 0), first);
    }

    /// -8 times the sum of four lanes.
    private void offset(Vec sum) {
        Vec other = ymm(3).low(128);
        a.vpshufd(other, sum, 0b01_00_11_10);
        a.vpaddd(sum, sum, other);
        a.vpshufd(other, sum, 0b10_11_00_01);
        a.vpaddd(sum, sum, other);
        a.vpslld(sum, sum, 3);
        a.vpsubd(sum, zero.low(128), sum);
    }
}
