package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R10;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R11;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R8;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R9;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RAX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RBP;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RCX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSP;
import static dev.penjing.inference.machine.InstructionEncoder.at;

import dev.penjing.inference.kernel.ByteActivations;
import dev.penjing.inference.kernel.Scales;
import dev.penjing.inference.machine.InstructionEncoder.Label;
import dev.penjing.inference.machine.InstructionEncoder.Mem;
import dev.penjing.inference.machine.InstructionEncoder.Reg;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// Writes the product of a quantised matrix with a tile of 1 to 8 rows of activations. Each vector
/// of weights is read and taken apart once for all rows; weights far ahead are asked for, so that
/// they arrive from memory in time.
///
/// The function's arguments, in the registers of the System V calling convention:
///
///     rdi  weights: the first block of the first group of rows (PackedMatrix)
///     rsi  activations: the first block of the tile (ByteActivations)
///     rdx  y: floats that are added to, [rows][groups x rows of a group]
///     rcx  bytes from one row of y to the next
///     r8   blocks of 32 columns
///     r9   groups
///
/// A sum's order is the same for any number of rows, and that of the scalar kernels: see
/// [dev.penjing.inference.kernel.Kernels#product]. So the results are the same bit for bit, on
/// every instruction set.
///
/// Half of the vector registers hold sums of whole products; the eight behind them hold unpacked
/// weights (four), activations, and whatever is needed in between.
final class ProductCode {
    /// Most rows of a tile.
    static final int MOST_ROWS = 8;

    /// Blocks between what is computed and what is asked for.
    private static final int AHEAD = 12;

    private static final int LINE = 64;
    private static final int COLUMNS = 32;

    /// Float16 bits, shifted into a float32's place, are short of this factor.
    private static final float HALF = 0x1p112f;

    // vectors on the stack, below the results
    private static final int LOW_HALVES = 0;
    private static final int HIGH_HALVES = 1;
    private static final int HALF_FACTOR = 2;
    private static final int EIGHTH_FACTOR = 3;
    private static final int MASK = 4;
    private static final int UPPER = 5;
    private static final int ONES = 6;
    private static final int TABLE = 7;
    private static final int SUPER_SCALES = 8;
    private static final int SUPER_MINIMUMS = 10;
    private static final int CONSTANTS = 12;

    private final Assembler a = new Assembler();
    private final InstructionSet set;
    private final WeightCode weights;
    private final Scales scales;
    private final int rows;
    private final Multiplication multiplication;

    /// Registers for sums of whole products.
    private final int sums;

    private final Vec[] unpacked = new Vec[4];
    private final Vec[] spare = new Vec[3];
    private final Vec x;

    private final Reg block = R10;
    private final Reg inSuperBlock = R11;
    private final Reg tile = RAX;

    private ProductCode(InstructionSet set, WeightCode weights, int rows) {
        this.set = set;
        this.weights = weights;
        this.scales = weights.scales();
        this.rows = rows;
        this.sums = set.registers() / 2;
        for (int i = 0; i < 4; i++) {
            unpacked[i] = vec(sums + i);
        }
        this.x = vec(sums + 4);
        for (int i = 0; i < 3; i++) {
            spare[i] = vec(sums + 5 + i);
        }
        this.multiplication =
                Multiplication.of(
                        set,
                        new Multiplication.Room(
                                a,
                                weights,
                                set.bytes(),
                                spare,
                                constant(MASK),
                                constant(ONES),
                                constant(UPPER),
                                constant(TABLE)));
    }

    /// @param rows of a tile of activations, 1 to 8
    static byte[] write(InstructionSet set, WeightCode weights, int rows) {
        ProductCode product = new ProductCode(set, weights, rows);
        product.function();
        return product.a.code();
    }

    private Vec vec(int index) {
        return new Vec(index, set.bits());
    }

    /// Halves of a group's rows that go through a block together: as registers allow.
    private int halves() {
        return 2 * rows <= sums && multiplication.registers() <= 2 ? 2 : 1;
    }

    /// The registers of a half's unpacked weights.
    private Vec[] unpacked(int h) {
        return halves() == 2 ? new Vec[] {unpacked[2 * h], unpacked[2 * h + 1]} : unpacked;
    }

    /// The whole-number sum of row `t` of the tile and a half of the group.
    private Vec sum(int t, int half) {
        return vec(halves() == 2 ? 2 * t + half : t);
    }

    /// Whether results stay in registers from block to block.
    private boolean inRegisters() {
        return 4 * rows <= sums;
    }

    private Vec result(int t, int half) {
        return vec(2 * rows + 2 * t + half);
    }

    /// Where a result waits on the stack.
    private Mem waiting(int t, int half) {
        return at(RSP, (CONSTANTS + 2 * t + half) * set.bytes());
    }

    private Mem constant(int i) {
        return at(RSP, i * set.bytes());
    }

    private Mem scale(int t) {
        return at(tile, rows * COLUMNS + 4 * t);
    }

    /// Of the activations' sums, -8 times each.
    ///
    /// @param part of the block
    private Mem offset(int t, int part) {
        int which = scales.parts() == 1 ? 0 : 1 + part;
        return at(tile, rows * (COLUMNS + 4) + 12 * t + 4 * which);
    }

    private int blockBytes() {
        return set.bytes() * (2 * weights.vectors() + scales.shorts());
    }

    private void function() {
        a.push(RBP);
        a.mov(RBP, RSP);
        a.sub(RSP, (CONSTANTS + 2 * rows) * set.bytes());
        a.and(RSP, -LINE);
        constants();
        Label nextGroup = new Label();
        a.align(LINE);
        a.bind(nextGroup);
        readResults();
        a.mov(tile, RSI);
        a.mov(block, R8);
        Label nextSuperBlock = new Label();
        if (scales.inSuperBlocks()) {
            a.bind(nextSuperBlock);
            head();
            a.mov32(inSuperBlock, Scales.BLOCKS);
        }
        Label nextBlock = new Label();
        a.align(LINE);
        a.bind(nextBlock);
        for (int half = 0; half < 2; half += halves()) {
            for (int part = 0; part < scales.parts(); part++) {
                products(half, part);
                scaled(half, part);
            }
        }
        a.add(RDI, blockBytes());
        a.add(tile, rows * ByteActivations.BLOCK_BYTES);
        if (scales.inSuperBlocks()) {
            a.sub(inSuperBlock, 1);
            a.jne(nextBlock);
            a.sub(block, Scales.BLOCKS);
            a.jne(nextSuperBlock);
        } else {
            a.sub(block, 1);
            a.jne(nextBlock);
        }
        writeResults();
        a.add(RDX, 2 * set.bytes());
        a.sub(R9, 1);
        a.jne(nextGroup);
        a.mov(RSP, RBP);
        a.pop(RBP);
        a.vzeroupper();
        a.ret();
    }

    private void constants() {
        constant(LOW_HALVES, 0x8fffffff);
        constant(HIGH_HALVES, 0x8fffe000);
        constant(HALF_FACTOR, Float.floatToRawIntBits(HALF));
        constant(EIGHTH_FACTOR, Float.floatToRawIntBits(HALF / 8));
        constant(UPPER, weights.upperMask());
        if (weights.hasTable()) {
            int[] table = weights.table(multiplication.signedTable());
            for (int i = 0; i < set.lanes(); i++) {
                a.mov32(RAX, table[i % table.length]);
                a.mov32(constant(TABLE).plus(4 * i), RAX);
            }
        }
        a.repeat(spare[1], weights.mask());
        a.vmovups(constant(MASK), spare[1]);
        a.repeat(spare[2], 0x00010001);
        a.vmovups(constant(ONES), spare[2]);
    }

    private void constant(int i, int value) {
        a.repeat(x, value);
        a.vmovups(constant(i), x);
    }

    private void readResults() {
        a.mov(RAX, RDX);
        for (int t = 0; t < rows; t++) {
            for (int half = 0; half < 2; half++) {
                Vec to = inRegisters() ? result(t, half) : x;
                a.vmovups(to, at(RAX, half * set.bytes()));
                if (!inRegisters()) {
                    a.vmovups(waiting(t, half), to);
                }
            }
            a.add(RAX, RCX);
        }
    }

    private void writeResults() {
        a.mov(RAX, RDX);
        for (int t = 0; t < rows; t++) {
            for (int half = 0; half < 2; half++) {
                Vec from = inRegisters() ? result(t, half) : x;
                if (!inRegisters()) {
                    a.vmovups(from, waiting(t, half));
                }
                a.vmovups(at(RAX, half * set.bytes()), from);
            }
            a.add(RAX, RCX);
        }
    }

    /// The float16 numbers of a super-block, for all of its blocks.
    private void head() {
        if (scales.headShorts() == 1) {
            a.vmovups(unpacked[3], at(RDI, 0));
            for (int half = 0; half < 2; half++) {
                float16(x, unpacked[3], half, HALF_FACTOR);
                a.vmovups(constant(SUPER_SCALES + half), x);
            }
        } else {
            for (int half = 0; half < 2; half++) {
                a.vmovups(unpacked[3], at(RDI, half * set.bytes()));
                float16(x, unpacked[3], 0, HALF_FACTOR);
                a.vmovups(constant(SUPER_SCALES + half), x);
                float16(x, unpacked[3], 1, EIGHTH_FACTOR);
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

    /// The whole-number sums of a part of a block, of the halves from `first` on.
    private void products(int first, int part) {
        for (int t = 0; t < rows; t++) {
            for (int h = 0; h < halves(); h++) {
                multiplication.begin(sum(t, h), offset(t, part));
            }
        }
        int vectors = weights.packed() / scales.parts();
        int begin = part * vectors;
        for (int v = begin; v < begin + vectors; v++) {
            for (int h = 0; h < halves(); h++) {
                if (first == 0) {
                    ahead(v, h);
                }
                multiplication.unpack(at(RDI, (first + h) * set.bytes()), v, unpacked(h));
            }
            for (int t = 0; t < rows; t++) {
                for (int p = 0; p < weights.parts(); p++) {
                    a.vpbroadcastd(x, at(tile, t * COLUMNS + weights.column(v, p)));
                    for (int h = 0; h < halves(); h++) {
                        multiplication.multiply(sum(t, h), h, unpacked(h), p, x, v == begin);
                    }
                }
            }
        }
    }

    /// Asks for the lines of a block further on, a share of them at each packed vector.
    private void ahead(int v, int h) {
        int lines = Math.ceilDiv(blockBytes(), LINE);
        int shares = weights.packed() * halves();
        int share = v * halves() + h;
        for (int line = lines * share / shares; line < lines * (share + 1) / shares; line++) {
            a.prefetcht0(at(RDI, AHEAD * blockBytes() + line * LINE));
        }
    }

    /// A half's scales, as float32.
    private Vec scalesOf(int h) {
        return unpacked[h];
    }

    /// An eighth of what is taken away from a half's rows.
    private Vec minimumsOf(int h) {
        return h == 0 ? spare[0] : unpacked[3];
    }

    /// Reads the scales of a part of the block.
    private void readScales(int first, int part) {
        Vec both = unpacked[3];
        Mem from = at(RDI, blockBytes() - scales.shorts() * set.bytes());
        if (scales != Scales.HALF_MINIMUM) {
            a.vmovups(both, from);
        }
        for (int h = 0; h < halves(); h++) {
            int half = first + h;
            switch (scales) {
                case HALF -> float16(scalesOf(h), both, half, HALF_FACTOR);
                case HALF_MINIMUM -> {
                    a.vmovups(both, from.plus(half * set.bytes()));
                    float16(scalesOf(h), both, 0, HALF_FACTOR);
                    float16(minimumsOf(h), both, 1, EIGHTH_FACTOR);
                }
                case SUPER_MINIMUM -> {
                    whole(scalesOf(h), both, 24 - 16 * half, 24, false, SUPER_SCALES + half);
                    whole(minimumsOf(h), both, 16 - 16 * half, 24, false, SUPER_MINIMUMS + half);
                }
                case SUPER_SIXTEENS -> {
                    int left = 24 - 16 * half - 8 * part;
                    whole(scalesOf(h), both, left, 24, true, SUPER_SCALES + half);
                }
                case SUPER ->
                        whole(scalesOf(h), both, 16 - 16 * half, 16, true, SUPER_SCALES + half);
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

    /// Adds the sums to the results, times both scales. A lane of the group's scales holds what
    /// belongs to a row in its low half, and that of the row in the other half of the group above.
    private void scaled(int first, int part) {
        readScales(first, part);
        Vec scale = unpacked[2];
        for (int t = 0; t < rows; t++) {
            for (int h = 0; h < halves(); h++) {
                multiplication.end(sum(t, h), offset(t, part));
            }
            a.vpbroadcastd(x, scale(t));
            for (int h = 0; h < halves(); h++) {
                a.vmulps(scale, scalesOf(h), x);
                a.vcvtdq2ps(sum(t, h), sum(t, h));
                if (inRegisters()) {
                    a.vfmadd231ps(result(t, first + h), sum(t, h), scale);
                } else {
                    a.vfmadd213ps(sum(t, h), scale, waiting(t, first + h));
                }
            }
            if (scales.minimum()) {
                a.vpbroadcastd(scale, offset(t, 0));
                a.vcvtdq2ps(scale, scale);
                a.vmulps(scale, scale, x);
            }
            for (int h = 0; h < halves(); h++) {
                Vec to = inRegisters() ? result(t, first + h) : sum(t, h);
                if (scales.minimum()) {
                    a.vfmadd231ps(to, minimumsOf(h), scale);
                }
                if (!inRegisters()) {
                    a.vmovups(waiting(t, first + h), to);
                }
            }
        }
    }
}
