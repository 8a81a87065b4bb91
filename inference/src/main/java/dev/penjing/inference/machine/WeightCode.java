package dev.penjing.inference.machine;

import dev.penjing.inference.kernel.Codes;
import dev.penjing.inference.kernel.Scales;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Operand;
import dev.penjing.inference.machine.InstructionEncoder.Vec;
import dev.penjing.model.quantization.CodeTable;

/// How emitted code takes a vector of packed weights apart. A lane of the vector is a row of
/// weights with a few columns, see [dev.penjing.inference.kernel.PackedMatrix]; taken apart it is
/// one or two vectors with four columns a lane, a byte each.
final class WeightCode {
    private final WeightFormat format;
    private final Codes codes;

    private WeightCode(WeightFormat format) {
        this.format = format;
        this.codes = format.codes();
    }

    static WeightCode of(WeightFormat format) {
        return new WeightCode(format);
    }

    Scales scales() {
        return format.scales();
    }

    /// Vectors of nibbles or of bytes in each half of a group's block.
    int packed() {
        return codes == Codes.BYTES ? 8 : 4;
    }

    /// All vectors of each half, but for the scales.
    int vectors() {
        return codes.bits();
    }

    /// Vectors that a packed one comes apart into.
    int parts() {
        return codes == Codes.BYTES ? 1 : 2;
    }

    /// The first of the four columns of a part.
    int column(int packed, int part) {
        return 4 * codes.word(packed, part == 1);
    }

    boolean hasTable() {
        return format.hasTable();
    }

    /// The largest byte without sign that [#unpack] makes.
    int largest() {
        return hasTable() ? 255 : (1 << codes.bits()) - 1;
    }

    /// What these bytes are larger by than the weights' numbers: zero, or 8 times 2 to some power.
    int offset() {
        return hasTable() || codes == Codes.BYTES ? 128 : format.offset();
    }

    /// What the code keeps repeated in each lane for [#unpack].
    int mask() {
        return codes == Codes.BYTES ? 0x80808080 : 0x0f0f0f0f;
    }

    /// What is left of a byte of upper bits, moved to where it belongs.
    int upperMask() {
        return codes == Codes.SIXES ? 0x30303030 : 0x10101010;
    }

    /// The table in 128 bits, as four numbers; with sign or 128 more.
    int[] table(boolean signed) {
        byte[] table = CodeTable.numbers();
        int[] ints = new int[4];
        for (int i = 0; i < table.length; i++) {
            ints[i / 4] |= (table[i] & 0xff ^ (signed ? 0 : 0x80)) << i % 4 * 8;
        }
        return ints;
    }

    /// Bytes without sign.
    ///
    /// @param from the block's first vector of the half at hand; vectors of both halves alternate
    /// @param v which packed vector
    /// @param bytes of a vector
    /// @param to a register for each part
    /// @param upper in memory: [#upperMask] in each lane
    /// @param table in memory: [#table] in each 128 bits
    void unpack(
            Assembler a,
            Mem from,
            int v,
            int bytes,
            Vec[] to,
            Operand mask,
            Mem upper,
            Mem table,
            Vec spare) {
        Mem packed = from.plus(2 * v * bytes);
        if (codes == Codes.BYTES) {
            a.vpxor(to[0], (Vec) mask, packed);
            return;
        }
        nibbles(a, packed, to, mask);
        if (hasTable()) {
            a.vmovups(spare, table);
            a.vpshufb(to[0], spare, to[0]);
            a.vpshufb(to[1], spare, to[1]);
        }
        for (int part = 0; part < 2 && codes != Codes.NIBBLES; part++) {
            boolean six = codes == Codes.SIXES;
            a.vmovups(spare, from.plus(2 * (six ? 4 + v / 2 : 4) * bytes));
            int left = six ? 4 - 2 * (2 * (v % 2) + part) : 4 - (2 * v + part);
            if (left > 0) {
                a.vpslld(spare, spare, left);
            } else if (left < 0) {
                a.vpsrld(spare, spare, -left);
            }
            a.vpand(spare, spare, upper);
            a.vpor(to[part], to[part], spare);
        }
    }

    private static void nibbles(Assembler a, Mem packed, Vec[] to, Operand mask) {
        a.vmovups(to[1], packed);
        a.vpand(to[0], to[1], mask);
        a.vpsrld(to[1], to[1], 4);
        a.vpand(to[1], to[1], mask);
    }

    /// Bytes without sign, and with it, of each part in turn.
    ///
    /// @param to two registers for each part
    void unpackSigned(
            Assembler a, Mem from, int v, int bytes, Vec[] to, Operand mask, Mem table, Vec spare) {
        Mem packed = from.plus(2 * v * bytes);
        if (codes == Codes.BYTES) {
            a.vmovups(to[1], packed);
        } else {
            nibbles(a, packed, new Vec[] {to[1], to[3]}, mask);
            a.vmovups(spare, table);
            a.vpshufb(to[1], spare, to[1]);
            a.vpshufb(to[3], spare, to[3]);
            a.vpabsb(to[2], to[3]);
        }
        a.vpabsb(to[0], to[1]);
    }
}
