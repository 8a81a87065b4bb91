package dev.penjing.model.architecture;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// How large a decoder is along every axis.
public record Shape(Map<Axis, Integer> sizes) {
    /// @throws IllegalArgumentException if an axis has no size
    public Shape {
        if (sizes.size() != Axis.values().length) {
            throw new IllegalArgumentException("a shape has a size along every axis: " + sizes);
        }
        sizes = Collections.unmodifiableMap(new EnumMap<>(sizes));
    }

    public int get(Axis axis) {
        return sizes.getOrDefault(axis, 0);
    }

    /// The same but for one axis.
    public Shape with(Axis axis, int size) {
        Map<Axis, Integer> other = new EnumMap<>(sizes);
        other.put(axis, size);
        return new Shape(other);
    }

    /// Elements along several axes in one, the first the slowest; 1 along none.
    public long extent(List<Axis> axes) {
        return axes.stream().mapToLong(this::get).reduce(1, Math::multiplyExact);
    }
}
