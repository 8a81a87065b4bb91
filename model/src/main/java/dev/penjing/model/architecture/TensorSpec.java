package dev.penjing.model.architecture;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// A tensor of a decoder and what it means: whoever cuts, initialises, multiplies, stores or counts
/// it goes by this and never by its name.
///
/// @param name as Hugging Face checkpoints spell it
/// @param ggufName as GGUF files spell it
/// @param layer whose it is; empty for what stands outside of the layers
/// @param rows the axes of a matrix's rows, or of a vector's elements, the first the slowest
/// @param columns of a matrix; empty for a vector
/// @param rotated whether its rows are turned by rotary positions, head by head
/// @param shape what the axes come to in this model: `[rows, columns]` or `[elements]`
public record TensorSpec(
        String name,
        String ggufName,
        Role role,
        OptionalInt layer,
        List<Axis> rows,
        List<Axis> columns,
        boolean rotated,
        Init init,
        long... shape) {
    /// The shape follows from the axes.
    static TensorSpec of(
            String name,
            String ggufName,
            Role role,
            OptionalInt layer,
            List<Axis> rows,
            List<Axis> columns,
            boolean rotated,
            Init init,
            Shape sizes) {
        long[] shape =
                columns.isEmpty()
                        ? new long[] {sizes.extent(rows)}
                        : new long[] {sizes.extent(rows), sizes.extent(columns)};
        return new TensorSpec(name, ggufName, role, layer, rows, columns, rotated, init, shape);
    }

    public boolean matrix() {
        return !columns.isEmpty();
    }

    /// Elements in all.
    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
