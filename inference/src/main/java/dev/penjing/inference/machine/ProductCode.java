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

    // vectors on the stack, behind those of the scales and below the results
    private static final int MASK = ScaleCode.VECTORS;
    private static final int UPPER = MASK + 1;
    private static final int ONES = MASK + 2;
    private static final int TABLE = MASK + 3;
    private static final int CONSTANTS = MASK + 4;

    private final Assembler a = new Assembler();
    private final InstructionSet set;
    private final WeightCode weights;
    private final Scales scales;
    private final ScaleCode scaleCode;
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
        this.scaleCode = new ScaleCode(a, set, scales, unpacked, spare[0], x);
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
            scaleCode.readHead();
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
        scaleCode.constants();
        a.repeat(x, weights.upperMask());
        a.vmovups(constant(UPPER), x);
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

    /// Adds the sums to the results, times both scales. A lane of the group's scales holds what
    /// belongs to a row in its low half, and that of the row in the other half of the group above.
    private void scaled(int first, int part) {
        scaleCode.read(first, halves(), part, at(RDI, blockBytes()));
        Vec scale = unpacked[2];
        for (int t = 0; t < rows; t++) {
            for (int h = 0; h < halves(); h++) {
                multiplication.end(sum(t, h), offset(t, part));
            }
            a.vpbroadcastd(x, scale(t));
            for (int h = 0; h < halves(); h++) {
                a.vmulps(scale, scaleCode.scales(h), x);
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
                    a.vfmadd231ps(to, scaleCode.minimums(h), scale);
                }
                if (!inRegisters()) {
                    a.vmovups(waiting(t, first + h), to);
                }
            }
        }
    }
}
