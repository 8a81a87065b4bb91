package dev.penjing.model.safetensors;

import dev.penjing.model.architecture.TensorSpec;
import java.util.Arrays;
import java.util.List;

/// What a safetensors file says of a tensor before its data, but for the type: its name and shape.
public record TensorHeader(String name, long... shape) {
    /// The headers of a model's tensors.
    public static List<TensorHeader> of(List<TensorSpec> tensors) {
        return tensors.stream().map(t -> new TensorHeader(t.name(), t.shape())).toList();
    }

    /// Elements in all.
    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
