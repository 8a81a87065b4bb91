package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Rope;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Rotary position embedding (RoPE, Su et al. 2021): tables of cosines and sines by position, which
/// grow as longer texts come. A rotation made before stays valid then: libtorch counts who holds
/// the memory of a table.
public final class RotaryEmbedding implements AutoCloseable {
    private final int headDim;
    private final double scale;
    private final Compute compute;
    private final double[] frequencies;
    private final double magnitude;
    private final Tensor rotateEE;
    private Optional<Tables> tables = Optional.empty();

    RotaryEmbedding(ModelConfig config, Rope rope, Compute compute) {
        this.headDim = config.headDim();
        this.scale = config.multipliers().attention();
        this.compute = compute;
        this.frequencies = rope.frequencies(headDim);
        this.magnitude = rope.magnitude();
        try (PointerScope scope = new PointerScope()) {
            rotateEE = Tensors.keep(rotateHalf());
        }
    }

    /// For tensors whose last two dimensions are positions 0 to `length` - 1 and E.
    Rotation upTo(long length) {
        Tables t = tables(length);
        return new Rotation(
                t.queries.narrow(1, 0, length), t.keys.narrow(1, 0, length), rotateEE, false);
    }

    /// For rows whose tokens stand at any positions.
    ///
    /// @param positions of `rows` rows
    Rotation at(int[] positions, int rows) {
        int last = 0;
        for (int position : positions) {
            last = Math.max(last, position);
        }
        Tables t = tables(last + 1L);
        int width = positions.length / rows;
        Tensor index = compute.place(Tensors.ids(positions, 1, positions.length)).view(-1);
        long[] shape = {2, rows, width, headDim};
        return new Rotation(
                t.queries.index_select(1, index).view(shape),
                t.keys.index_select(1, index).view(shape),
                rotateEE,
                true);
    }

    /// Cosines (0) and sines (1) along the first dimension; those of queries are already multiplied
    /// by attention's constant.
    ///
    /// @param byRow whether positions differ from row to row
    public record Rotation(Tensor queries, Tensor keys, Tensor rotateEE, boolean byRow) {
        /// Rotated and scaled queries.
        ///
        /// @param x `[K, B, G, L, E]` if by row, else with any leading dimensions
        public Tensor queries(Tensor x) {
            Tensor both = byRow ? queries.unsqueeze(2) : queries;
            return rotate(x, both);
        }

        /// Rotated keys.
        ///
        /// @param x `[K, B, L, E]` if by row, else with any leading dimensions
        public Tensor keys(Tensor x) {
            return rotate(x, keys);
        }

        /// x * cos + rotateHalf(x) * sin
        private Tensor rotate(Tensor x, Tensor both) {
            return torch.addcmul(
                    x.mul(both.select(0, 0)), torch.matmul(x, rotateEE), both.select(0, 1));
        }
    }

    /// The matrix R for which `x R` is `(-x2, x1, 0)`, where x is `(x1, x2, x3)` and x3 what is not
    /// turned.
    private Tensor rotateHalf() {
        int e = headDim;
        float[] matrix = new float[e * e];
        int half = frequencies.length;
        for (int i = 0; i < half; i++) {
            matrix[(half + i) * e + i] = -1;
            matrix[i * e + half + i] = 1;
        }
        return compute.tensor(matrix, e, e);
    }

    private Tables tables(long length) {
        if (tables.isPresent() && tables.get().length >= length) {
            return tables.get();
        }
        tables.ifPresent(Tables::close);
        tables = Optional.empty();
        int size = Math.toIntExact(Math.max(64, Long.highestOneBit(length * 2 - 1)));
        try (PointerScope scope = new PointerScope()) {
            Tensor queries = table(size, scale);
            Tensor keys = table(size, 1);
            Tables made = new Tables(size, Tensors.keep(queries), Tensors.keep(keys));
            tables = Optional.of(made);
            return made;
        }
    }

    private Tensor table(int length, double factor) {
        int e = headDim;
        int half = frequencies.length;
        float[] both = new float[2 * length * e];
        for (int l = 0; l < length; l++) {
            for (int i = 0; i < e; i++) {
                boolean turned = i < 2 * half;
                double angle = turned ? l * frequencies[i % half] : 0;
                double size = turned ? factor * magnitude : factor;
                both[l * e + i] = (float) (Math.cos(angle) * size);
                both[(length + l) * e + i] = (float) (Math.sin(angle) * size);
            }
        }
        return compute.tensor(both, 2, length, e);
    }

    @Override
    public void close() {
        tables.ifPresent(Tables::close);
        Tensors.release(rotateEE);
    }

    /// Cosines and sines by position, `[2, length, E]` each.
    private record Tables(long length, Tensor queries, Tensor keys) {
        void close() {
            Tensors.release(queries);
            Tensors.release(keys);
        }
    }
}
