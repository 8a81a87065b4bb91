package dev.penjing.model.safetensors;

import dev.penjing.model.architecture.TensorSpec;
import java.util.Arrays;
import java.util.List;

/// What a safetensors file says of a tensor before its data, but for the type: its name and shape.
public record TensorHeader(String name, long... shape) {
    /// The headers of a model's tensors; of such as are stored as one, that one's.
    public static List<TensorHeader> of(List<TensorSpec> tensors) {
        return tensors.stream()
                .filter(TensorSpec::first)
                .map(t -> new TensorHeader(t.stored(), t.storedShape()))
                .toList();
    }

    /// Elements in all.
    public long size() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }
}
