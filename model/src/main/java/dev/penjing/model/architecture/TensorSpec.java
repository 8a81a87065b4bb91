package dev.penjing.model.architecture;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
/// @param part where it lies in a tensor that holds several as one; files spell that one's name
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
        Optional<Part> part,
        long... shape) {
    /// Rows of a tensor that holds several as one, in their order.
    ///
    /// @param name as Hugging Face checkpoints spell it
    /// @param ggufName as GGUF files spell it
    /// @param from its first row there
    /// @param rows of all
    public record Part(String name, String ggufName, long from, long rows) {}

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
            Optional<Part> part,
            Shape sizes) {
        long[] shape =
                columns.isEmpty()
                        ? new long[] {sizes.extent(rows)}
                        : new long[] {sizes.extent(rows), sizes.extent(columns)};
        return new TensorSpec(
                name, ggufName, role, layer, rows, columns, rotated, init, part, shape);
    }

    /// The name in a Hugging Face checkpoint of what holds it: itself, or several as one.
    public String stored() {
        return part.map(Part::name).orElse(name);
    }

    /// The same in a GGUF file.
    public String ggufStored() {
        return part.map(Part::ggufName).orElse(ggufName);
    }

    /// The shape of what holds it.
    public long[] storedShape() {
        long[] all = shape.clone();
        part.ifPresent(p -> all[0] = p.rows());
        return all;
    }

    /// Whether it begins what holds it.
    public boolean first() {
        return part.map(p -> p.from() == 0).orElse(true);
    }

    /// Whether it ends what holds it.
    public boolean last() {
        return part.map(p -> p.from() + shape[0] == p.rows()).orElse(true);
    }

    public boolean matrix() {
        return !columns.isEmpty();
    }

    /// Elements in all.
    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
