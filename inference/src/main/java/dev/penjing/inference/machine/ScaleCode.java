package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSP;
import static dev.penjing.inference.machine.InstructionEncoder.at;

import dev.penjing.inference.kernel.Scales;
import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// How emitted code reads the scales of a block, see [Scales]: a lane holds what belongs to a row
/// in its low half, and that of the row in the other half of the group above.
final class ScaleCode {
    // vectors on the stack
    private static final int LOW_HALVES = 0;
    private static final int HIGH_HALVES = 1;
    private static final int HALF_FACTOR = 2;
    private static final int EIGHTH_FACTOR = 3;
    private static final int SUPER_SCALES = 4;
    private static final int SUPER_MINIMUMS = 6;

    /// Vectors at the stack's end that it uses.
    static final int VECTORS = 8;

    /// Float16 bits, shifted into a float32's place, are short of this factor.
    private static final float HALF = 0x1p112f;

    private final Assembler a;
    private final InstructionSet set;
    private final Scales scales;
    private final Vec[] unpacked;
    private final Vec both;
    private final Vec minimum;
    private final Vec x;

    /// @param unpacked registers: the first two get scales, the last is used in between
    /// @param minimum gets what is taken away, of the first half
    /// @param x a register for anything
    ScaleCode(Assembler a, InstructionSet set, Scales scales, Vec[] unpacked, Vec minimum, Vec x) {
        this.a = a;
        this.set = set;
        this.scales = scales;
        this.unpacked = unpacked;
        this.both = unpacked[3];
        this.minimum = minimum;
        this.x = x;
    }

    private Mem constant(int i) {
        return at(RSP, i * set.bytes());
    }

    /// At the start.
    void constants() {
        constant(LOW_HALVES, 0x8fffffff);
        constant(HIGH_HALVES, 0x8fffe000);
        constant(HALF_FACTOR, Float.floatToRawIntBits(HALF));
        constant(EIGHTH_FACTOR, Float.floatToRawIntBits(HALF / 8));
    }

    private void constant(int i, int value) {
        a.repeat(x, value);
        a.vmovups(constant(i), x);
    }

    /// The float16 numbers of a super-block, for all of its blocks.
    void readHead() {
        if (scales.headShorts() == 1) {
            a.vmovups(both, at(RDI, 0));
            for (int half = 0; half < 2; half++) {
                float16(x, both, half, HALF_FACTOR);
                a.vmovups(constant(SUPER_SCALES + half), x);
            }
        } else {
            for (int half = 0; half < 2; half++) {
                a.vmovups(both, at(RDI, half * set.bytes()));
                float16(x, both, 0, HALF_FACTOR);
                a.vmovups(constant(SUPER_SCALES + half), x);
                float16(x, both, 1, EIGHTH_FACTOR);
                a.vmovups(constant(SUPER_MINIMUMS + half), x);
            }
        }
        a.add(RDI, scales.headShorts() * set.bytes());
    }

    /// To float32 from the lower or the upper half of each lane.
    private void float16(Vec to, Vec from, int half, int factor) {
        if (half == 0) {
            a.vpslld(to, from, 16);
            a.vpsrad(to, to, 3);
        } else {
            a.vpsrad(to, from, 3);
        }
        a.vpand(to, to, constant(half == 0 ? LOW_HALVES : HIGH_HALVES));
        a.vmulps(to, to, constant(factor));
    }

    /// A half's scales, as float32.
    Vec scales(int h) {
        return unpacked[h];
    }

    /// An eighth of what is taken away from a half's rows.
    Vec minimums(int h) {
        return h == 0 ? minimum : both;
    }

    /// Reads the scales of a part of a block.
    ///
    /// @param first half of the group
    /// @param halves how many
    /// @param end of the block
    void read(int first, int halves, int part, Mem end) {
        Mem from = end.plus(-scales.shorts() * set.bytes());
        if (scales != Scales.HALF_MINIMUM) {
            a.vmovups(both, from);
        }
        for (int h = 0; h < halves; h++) {
            int half = first + h;
            switch (scales) {
                case HALF -> float16(scales(h), both, half, HALF_FACTOR);
                case HALF_MINIMUM -> {
                    a.vmovups(both, from.plus(half * set.bytes()));
                    float16(scales(h), both, 0, HALF_FACTOR);
                    float16(minimums(h), both, 1, EIGHTH_FACTOR);
                }
                case SUPER_MINIMUM -> {
                    whole(scales(h), both, 24 - 16 * half, 24, false, SUPER_SCALES + half);
                    whole(minimums(h), both, 16 - 16 * half, 24, false, SUPER_MINIMUMS + half);
                }
                case SUPER_SIXTEENS -> {
                    int left = 24 - 16 * half - 8 * part;
                    whole(scales(h), both, left, 24, true, SUPER_SCALES + half);
                }
                case SUPER -> whole(scales(h), both, 16 - 16 * half, 16, true, SUPER_SCALES + half);
            }
        }
    }

    /// A whole number out of each lane, shifted to the left and then to the right, times the
    /// super-block's number.
    private void whole(Vec to, Vec from, int left, int right, boolean signed, int factor) {
        Vec shifted = from;
        if (left > 0) {
            a.vpslld(to, from, left);
            shifted = to;
        }
        if (signed) {
            a.vpsrad(to, shifted, right);
        } else {
            a.vpsrld(to, shifted, right);
        }
        a.vcvtdq2ps(to, to);
        a.vmulps(to, to, constant(factor));
    }
}
