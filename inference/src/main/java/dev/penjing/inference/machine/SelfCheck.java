package dev.penjing.inference.machine;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Block;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.ScalarKernels;
import dev.penjing.inference.kernel.Scales;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Holds emitted functions against the scalar kernels before their first use, in about a
/// millisecond: a processor, a hypervisor or an emulator that computes anything else by a single
/// bit is found out.
final class SelfCheck {
    private static final int BLOCKS = 3;
    private static final int COLUMNS = BLOCKS * PackedMatrix.UNIT;

    /// y += x w^T.
    interface Product {
        void run(PackedMatrix w, Activations x, float[] y);
    }

    private SelfCheck() {}

    /// @param lanes of the vectors
    /// @param rows of activations
    /// @throws UnsupportedOperationException if products differ
    static void product(int lanes, WeightFormat format, int rows, Product product) {
        Random random = new Random(rows);
        try (Arena arena = Arena.ofConfined()) {
            int outputs = 2 * PackedMatrix.UNIT;
            int blocks = format.scales().inSuperBlocks() ? Scales.BLOCKS : BLOCKS;
            int columns = blocks * PackedMatrix.UNIT;
            PackedMatrix w = new PackedMatrix(format, outputs, columns, lanes, arena);
            for (int row = 0; row < outputs; row++) {
                for (int block = 0; block < blocks; block++) {
                    w.set(row, block, Block.random(format, random, false));
                }
            }
            float[] x = floats(random, rows * columns);
            float[] start = floats(random, rows * outputs);
            Kernels twin = new ScalarKernels(lanes);
            Activations a = twin.activations(rows, columns, List.of(w), arena);
            a.setRows(rows);
            for (int row = 0; row < rows; row++) {
                twin.quantize(x, row * columns, 0, columns, a, row, new Scratch());
            }
            float[] ours = start.clone();
            float[] theirs = start.clone();
            product.run(w, a, ours);
            twin.product(w, a, theirs, 0, outputs, 0, outputs, true, new Scratch());
            if (!Arrays.equals(ours, theirs)) {
                throw differs("%s with %d rows".formatted(format, rows));
            }
        }
    }

    /// @throws UnsupportedOperationException if quantised activations differ
    static void quantize(Kernels kernels) {
        float[] x = floats(new Random(1), COLUMNS);
        Arrays.fill(x, 0, PackedMatrix.UNIT, 0);
        try (Arena arena = Arena.ofConfined()) {
            Kernels twin = new ScalarKernels(kernels.lanes());
            Activations ours = kernels.activations(1, COLUMNS, List.of(), arena);
            Activations theirs = twin.activations(1, COLUMNS, List.of(), arena);
            ours.setRows(1);
            theirs.setRows(1);
            kernels.quantize(x, 0, 0, COLUMNS, ours, 0, new Scratch());
            twin.quantize(x, 0, 0, COLUMNS, theirs, 0, new Scratch());
            if (!ours.isSame(theirs, 1)) {
                throw differs("quantisation");
            }
        }
    }

    private static UnsupportedOperationException differs(String what) {
        return new UnsupportedOperationException(
                "%s gives other numbers here than plain Java does".formatted(what));
    }

    private static float[] floats(Random random, int count) {
        float[] floats = new float[count];
        for (int i = 0; i < count; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
