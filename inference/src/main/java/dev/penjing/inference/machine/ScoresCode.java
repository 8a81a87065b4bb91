package dev.penjing.inference.machine;

import static dev.penjing.inference.machine.InstructionEncoder.Reg.R10;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R8;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.R9;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RAX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RCX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDI;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RDX;
import static dev.penjing.inference.machine.InstructionEncoder.Reg.RSI;
import static dev.penjing.inference.machine.InstructionEncoder.at;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.machine.InstructionEncoder.Label;
import dev.penjing.inference.machine.InstructionEncoder.Vec;

/// Writes attention's first half for one or four queries, with AVX2: their products with the keys of
/// a run of tiles. A tile is 16 positions, in memory [headDim][16] of float16, and two vectors of
/// 8 positions here. A score is the sum over the dimensions in their order, times the scale: the
/// same for one query and for four.
///
/// The function's arguments:
///
///     rdi  addresses of the tiles
///     rsi  tiles
///     rdx  queries: floats, [queries][headDim]
///     rcx  scores: floats, [queries][stride]
///     r8   the stride in bytes
///     r9   the scale: a float's 32 bits
final class ScoresCode {
    private static final int HALVES = 2;
    private static final int TILE_ROW = 2 * Kernels.KEY_TILE;

    /// Dimensions in a turn of the loop.
    private static final int UNROLLED = 4;

    private final Assembler a = new Assembler();
    private final int headDim;
    private final int queries;
    private final Vec query = ymm(10);
    private final Vec scale = ymm(11);

    private ScoresCode(int headDim, int queries) {
        this.headDim = headDim;
        this.queries = queries;
    }

    /// @param headDim a multiple of 4
    /// @param queries 1 or 4
    static byte[] write(int headDim, int queries) {
        ScoresCode code = new ScoresCode(headDim, queries);
        code.function();
        return code.a.code();
    }

    private static Vec ymm(int index) {
        return new Vec(index, 256);
    }

    private Vec sum(int query, int half) {
        return ymm(HALVES * query + half);
    }

    private void function() {
        a.vmovd(scale, R9);
        a.vpbroadcastd(scale, scale.low(128));
        Label nextTile = new Label();
        a.align(32);
        a.bind(nextTile);
        for (int i = 0; i < HALVES * queries; i++) {
            a.vpxor(ymm(i), ymm(i), ymm(i));
        }
        a.mov(RAX, at(RDI, 0));
        a.mov(R10, RDX);
        a.mov32(R9, headDim / UNROLLED);
        Label next = new Label();
        a.align(32);
        a.bind(next);
        for (int d = 0; d < UNROLLED; d++) {
            dimension(d);
        }
        a.add(RAX, UNROLLED * TILE_ROW);
        a.add(R10, 4 * UNROLLED);
        a.sub(R9, 1);
        a.jne(next);
        a.mov(RAX, RCX);
        for (int q = 0; q < queries; q++) {
            for (int half = 0; half < HALVES; half++) {
                a.vmulps(sum(q, half), sum(q, half), scale);
                a.vmovups(at(RAX, 32 * half), sum(q, half));
            }
            a.add(RAX, R8);
        }
        a.add(RCX, 4 * Kernels.KEY_TILE);
        a.add(RDI, 8);
        a.sub(RSI, 1);
        a.jne(nextTile);
        a.vzeroupper();
        a.ret();
    }

    private void dimension(int d) {
        for (int half = 0; half < HALVES; half++) {
            a.vcvtph2ps(ymm(8 + half), at(RAX, TILE_ROW * d + 16 * half));
        }
        for (int q = 0; q < queries; q++) {
            a.vpbroadcastd(query, at(R10, 4 * (q * headDim + d)));
            for (int half = 0; half < HALVES; half++) {
                a.vfmadd231ps(sum(q, half), ymm(8 + half), query);
            }
        }
    }
}
