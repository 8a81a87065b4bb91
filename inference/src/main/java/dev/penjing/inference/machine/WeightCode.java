package dev.penjing.inference.machine;

import dev.penjing.inference.kernel.Q4_0;
import dev.penjing.inference.kernel.Q8_0;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// How emitted code takes a vector of packed weights apart. A lane of the vector is a row of
/// weights with a few columns, see [dev.penjing.inference.kernel.PackedMatrix]; taken apart it is
/// one or more vectors with four columns a lane, a byte each.
///
/// A weight format is one class here, beside its class in the kernels.
abstract sealed class WeightCode {
    static WeightCode of(WeightFormat format) {
        return switch (format) {
            case Q4_0 _ -> new Nibbles();
            case Q8_0 _ -> new Bytes();
        };
    }

    /// Packed vectors of each half of a group's rows in a block.
    abstract int packed();

    /// Vectors that a packed one comes apart into.
    abstract int parts();

    /// The first of the four columns of a part.
    abstract int column(int packed, int part);

    /// What the code keeps repeated in a register for [#unpack].
    abstract int mask();

    /// Bytes without sign: the weights and an offset.
    ///
    /// @param to a register for each part
    abstract void unpack(Assembler a, Mem from, Vec[] to, Vec mask);

    /// The offset is 8 times 2 to this.
    abstract int offsetShift();

    /// Whether bytes without sign are at most 15, so that all products of a block with activations
    /// of at most 127, added up in pairs of columns, fit into 16 bits: 16 x 15 x 127 = 30,480.
    abstract boolean small();

    /// Q4_0: byte i of a lane has column i of four in its low nibble and the column 16 further in
    /// its high one, 8 more than the weights.
    static final class Nibbles extends WeightCode {
        @Override
        int packed() {
            return 4;
        }

        @Override
        int parts() {
            return 2;
        }

        @Override
        int column(int packed, int part) {
            return 4 * packed + 16 * part;
        }

        @Override
        int mask() {
            return 0x0f0f0f0f;
        }

        @Override
        void unpack(Assembler a, Mem from, Vec[] to, Vec mask) {
            a.vmovups(to[1], from);
            a.vpand(to[0], to[1], mask);
            a.vpsrld(to[1], to[1], 4);
            a.vpand(to[1], to[1], mask);
        }

        @Override
        int offsetShift() {
            return 0;
        }

        @Override
        boolean small() {
            return true;
        }
    }

    /// Q8_0: a byte a column, with sign; 128 more is the same byte with its highest bit turned.
    static final class Bytes extends WeightCode {
        @Override
        int packed() {
            return 8;
        }

        @Override
        int parts() {
            return 1;
        }

        @Override
        int column(int packed, int part) {
            return 4 * packed;
        }

        @Override
        int mask() {
            return 0x80808080;
        }

        @Override
        void unpack(Assembler a, Mem from, Vec[] to, Vec mask) {
            a.vpxor(to[0], mask, from);
        }

        @Override
        int offsetShift() {
            return 4;
        }

        @Override
        boolean small() {
            return false;
        }
    }
}
