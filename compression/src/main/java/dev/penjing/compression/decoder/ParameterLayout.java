package dev.penjing.compression.decoder;

import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where each tensor of a checkpoint stands in the one flat tensor that holds all parameters.
///
/// Matrices come first, vectors (norms and biases, which weight decay spares) last; within each
/// kind the checkpoint's order is kept, so that q, k and v, and gate and up, are neighbours and can
/// be multiplied as one matrix.
///
/// @param slots by tensor name, in order
/// @param matrices number of elements before the first vector
/// @param size number of elements in all
public record ParameterLayout(Map<String, Slot> slots, long matrices, long size) {
    /// @param offset in elements
    public record Slot(String name, long offset, long[] shape) {
        public long size() {
            return product(shape);
        }
    }

    public static ParameterLayout of(ModelConfig config) {
        List<TensorSpec> ordered = new ArrayList<>();
        List<TensorSpec> vectors = new ArrayList<>();
        for (TensorSpec tensor : config.tensors()) {
            (tensor.shape().length > 1 ? ordered : vectors).add(tensor);
        }
        long matrices = ordered.stream().mapToLong(t -> product(t.shape())).sum();
        ordered.addAll(vectors);
        Map<String, Slot> slots = new LinkedHashMap<>();
        long offset = 0;
        for (TensorSpec tensor : ordered) {
            slots.put(tensor.name(), new Slot(tensor.name(), offset, tensor.shape()));
            offset += product(tensor.shape());
        }
        return new ParameterLayout(slots, matrices, offset);
    }

    public Slot slot(String name) {
        Slot slot = slots.get(name);
        if (slot == null) {
            throw new IllegalArgumentException("no parameter is called " + name);
        }
        return slot;
    }

    public boolean contains(String name) {
        return slots.containsKey(name);
    }

    private static long product(long[] shape) {
        long product = 1;
        for (long extent : shape) {
            product *= extent;
        }
        return product;
    }
}
