package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R10;
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
/// A sum's order is the same for any number of rows, and that of the scalar kernels: blocks in
/// turn, y = fma(sum of whole products, scale of weights * scale of activations, y). So the results
/// are the same bit for bit, on every instruction set.
final class ProductCode {
    /// Most rows of a tile.
    static final int MOST_ROWS = 8;

    /// Blocks between what is computed and what is asked for.
    private static final int AHEAD = 12;

    private static final int LINE = 64;
    private static final int COLUMNS = 32;

    /// Float16 bits, shifted into a float32's place, are short of this factor.
    private static final float HALF = 0x1p112f;

    private final Assembler a = new Assembler();
    private final InstructionSet set;
    private final WeightCode weights;
    private final int rows;
    private final Multiplication multiplication;

    /// Registers for sums of whole products; the eight behind them have other uses.
    private final int sums;

    private final Vec[][] unpacked = new Vec[2][2];
    private final Vec x;
    private final Vec mask;

    private final Reg block = R10;
    private final Reg tile = RAX;

    private ProductCode(InstructionSet set, WeightCode weights, int rows) {
        this.set = set;
        this.weights = weights;
        this.rows = rows;
        this.sums = set.registers() / 2;
        for (int i = 0; i < 4; i++) {
            unpacked[i / 2][i % 2] = vec(sums + i);
        }
        this.x = vec(sums + 4);
        this.mask = vec(sums + 6);
        this.multiplication = Multiplication.of(set, a, weights, vec(sums + 7), vec(sums + 5));
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
        return 2 * rows <= sums ? 2 : 1;
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
        return at(RSP, (3 + 2 * t + half) * set.bytes());
    }

    /// Vectors on the stack, below the results: masks of the scales' two halves, and [#HALF].
    private Mem constant(int i) {
        return at(RSP, i * set.bytes());
    }

    private Mem scale(int t) {
        return at(tile, rows * COLUMNS + 4 * t);
    }

    private Mem offset(int t) {
        return at(tile, rows * (COLUMNS + 4) + 4 * t);
    }

    private int blockBytes() {
        return set.bytes() * (2 * weights.packed() + 1);
    }

    private void function() {
        a.push(RBP);
        a.mov(RBP, RSP);
        a.sub(RSP, (3 + 2 * rows) * set.bytes());
        a.and(RSP, -LINE);
        constants();
        Label nextGroup = new Label();
        a.align(LINE);
        a.bind(nextGroup);
        readResults();
        a.mov(tile, RSI);
        a.mov(block, R8);
        Label nextBlock = new Label();
        a.align(LINE);
        a.bind(nextBlock);
        for (int half = 0; half < 2; half += halves()) {
            products(half);
            scaled(half);
        }
        a.add(RDI, blockBytes());
        a.add(tile, rows * (COLUMNS + 8));
        a.sub(block, 1);
        a.jne(nextBlock);
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
        int[] onStack = {0x8fffffff, 0x8fffe000, Float.floatToRawIntBits(HALF)};
        for (int i = 0; i < onStack.length; i++) {
            a.repeat(x, onStack[i]);
            a.vmovups(constant(i), x);
        }
        a.repeat(mask, weights.mask());
        if (multiplication.constant() != 0) {
            a.repeat(vec(sums + 7), multiplication.constant());
        }
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

    /// A block's whole-number sums of the halves from `first` on.
    private void products(int first) {
        for (int t = 0; t < rows; t++) {
            for (int h = 0; h < halves(); h++) {
                multiplication.begin(sum(t, h), offset(t));
            }
        }
        for (int v = 0; v < weights.packed(); v++) {
            for (int h = 0; h < halves(); h++) {
                int vector = 2 * v + first + h;
                if (first == 0) {
                    ahead(v, h);
                }
                multiplication.unpack(at(RDI, vector * set.bytes()), unpacked[h], mask);
            }
            for (int t = 0; t < rows; t++) {
                for (int part = 0; part < weights.parts(); part++) {
                    a.vpbroadcastd(x, at(tile, t * COLUMNS + weights.column(v, part)));
                    for (int h = 0; h < halves(); h++) {
                        boolean begins = v == 0 && part == 0;
                        multiplication.multiply(sum(t, h), unpacked[h], part, x, begins);
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

    /// Adds the sums to the results, times both scales. A lane of the group's scales holds the
    /// float16 of a row in its low half, and that of the row in the other half of the group above.
    private void scaled(int first) {
        Vec both = unpacked[1][1];
        a.vmovups(both, at(RDI, blockBytes() - set.bytes()));
        for (int h = 0; h < halves(); h++) {
            Vec scales = unpacked[0][h];
            int half = first + h;
            if (half == 0) {
                a.vpslld(scales, both, 16);
                a.vpsrad(scales, scales, 3);
            } else {
                a.vpsrad(scales, both, 3);
            }
            a.vpand(scales, scales, constant(half));
            a.vmulps(scales, scales, constant(2));
        }
        for (int t = 0; t < rows; t++) {
            for (int h = 0; h < halves(); h++) {
                multiplication.end(sum(t, h), offset(t));
            }
            a.vpbroadcastd(x, scale(t));
            for (int h = 0; h < halves(); h++) {
                Vec sum = sum(t, h);
                Vec scale = unpacked[1][0];
                a.vmulps(scale, unpacked[0][h], x);
                a.vcvtdq2ps(sum, sum);
                if (inRegisters()) {
                    a.vfmadd231ps(result(t, h), sum, scale);
                } else {
                    a.vfmadd213ps(sum, scale, waiting(t, first + h));
                    a.vmovups(waiting(t, first + h), sum);
                }
            }
        }
    }
}
