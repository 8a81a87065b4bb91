package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R10;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R11;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R12;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R8;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R9;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RAX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RBP;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RBX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RCX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSI;
import static dev.penjing.inference.machine.InstructionEncoder.at;

import dev.penjing.inference.machine.InstructionEncoder.Label;
import dev.penjing.inference.machine.InstructionEncoder.Reg;
import dev.penjing.inference.machine.InstructionEncoder.Vec;
import java.util.List;

/// Writes attention's second half for one or four queries, with AVX2: values of a run of blocks,
/// weighed and added up. A block's values lie in memory as [positions][headDim] of float16. Each sum
/// goes on from what the output holds, position after position: the same for one query and for four.
///
/// The function's arguments:
///
///     rdi  addresses of the blocks' values
///     rsi  blocks
///     rdx  weights: floats, [queries][stride], those of a block behind those of the one before
///     rcx  the stride in bytes
///     r8   output: floats, [queries][headDim], added to
///     r9   positions of each block
final class MixCode {
    private static final int LANES = 8;

    /// Vectors of dimensions that a loop over the positions takes.
    private static final int MOST = 2;

    private final Assembler a = new Assembler();
    private final int headDim;
    private final int queries;
    private final Vec weight = ymm(10);

    private final List<Reg> weights = List.of(RAX, R11, RBX, RBP);

    private MixCode(int headDim, int queries) {
        this.headDim = headDim;
        this.queries = queries;
    }

    /// @param headDim a multiple of 8
    /// @param queries 1 or 4
    static byte[] write(int headDim, int queries) {
        MixCode code = new MixCode(headDim, queries);
        code.function();
        return code.a.code();
    }

    private static Vec ymm(int index) {
        return new Vec(index, 256);
    }

    private void function() {
        a.push(RBX);
        a.push(RBP);
        a.push(R12);
        Label nextBlock = new Label();
        a.bind(nextBlock);
        for (int d = 0; d < headDim; d += MOST * LANES) {
            dimensions(d, Math.min(MOST, (headDim - d) / LANES));
        }
        // the first query's weights now stand behind this block's
        a.mov(RDX, RAX);
        a.add(RDI, 8);
        a.sub(RSI, 1);
        a.jne(nextBlock);
        a.pop(R12);
        a.pop(RBP);
        a.pop(RBX);
        a.vzeroupper();
        a.ret();
    }

    private Vec sum(int query, int vector) {
        return ymm(MOST * query + vector);
    }

    /// Some dimensions, over all positions of a block.
    private void dimensions(int first, int vectors) {
        a.mov(RAX, RDX);
        for (int q = 1; q < queries; q++) {
            a.mov(weights.get(q), weights.get(q - 1));
            a.add(weights.get(q), RCX);
        }
        for (int q = 0; q < queries; q++) {
            for (int v = 0; v < vectors; v++) {
                a.vmovups(sum(q, v), at(R8, 4 * (q * headDim + first + LANES * v)));
            }
        }
        a.mov(R10, at(RDI, 0));
        a.mov(R12, R9);
        Label next = new Label();
        a.align(32);
        a.bind(next);
        for (int v = 0; v < vectors; v++) {
            a.vcvtph2ps(ymm(8 + v), at(R10, 2 * (first + LANES * v)));
        }
        for (int q = 0; q < queries; q++) {
            a.vpbroadcastd(weight, at(weights.get(q), 0));
            a.add(weights.get(q), 4);
            for (int v = 0; v < vectors; v++) {
                a.vfmadd231ps(sum(q, v), ymm(8 + v), weight);
            }
        }
        a.add(R10, 2 * headDim);
        a.sub(R12, 1);
        a.jne(next);
        for (int q = 0; q < queries; q++) {
            for (int v = 0; v < vectors; v++) {
                a.vmovups(at(R8, 4 * (q * headDim + first + LANES * v)), sum(q, v));
            }
        }
    }
}
