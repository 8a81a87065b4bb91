package dev.penjing.compression.decoder;

import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.architecture.TensorTable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where each tensor of a checkpoint stands in the one flat tensor that holds all parameters.
///
/// Matrices come first, vectors (norms and biases, which weight decay spares) last; within each
/// kind the checkpoint's order is kept. [#group] finds neighbours that are multiplied as one
/// matrix: query, key and value; gate and up.
public final class ParameterLayout {
    /// A tensor's place.
    ///
    /// @param offset in elements
    public record Slot(TensorSpec spec, long offset) {
        public long[] shape() {
            return spec.shape();
        }

        /// Elements in all.
        public long size() {
            return spec.size();
        }

        private long end() {
            return offset + size();
        }

        private long columns() {
            return spec.matrix() ? spec.shape()[1] : 1;
        }
    }

    private final TensorTable tensors;
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final long matrices;
    private final long size;

    private ParameterLayout(TensorTable tensors) {
        this.tensors = tensors;
        List<TensorSpec> ordered = new ArrayList<>();
        tensors.stream().filter(TensorSpec::matrix).forEach(ordered::add);
        this.matrices = ordered.stream().mapToLong(TensorSpec::size).sum();
        tensors.stream().filter(t -> !t.matrix()).forEach(ordered::add);
        long offset = 0;
        for (TensorSpec spec : ordered) {
            slots.put(spec.name(), new Slot(spec, offset));
            offset += spec.size();
        }
        this.size = offset;
    }

    public static ParameterLayout of(ModelConfig config) {
        return new ParameterLayout(config.tensors());
    }

    /// Of the tensors of one layer alone.
    static ParameterLayout ofLayer(ModelConfig config, int layer) {
        return new ParameterLayout(config.tensors().ofLayer(layer));
    }

    /// All tensors, in their order in the flat one.
    public Collection<Slot> slots() {
        return Collections.unmodifiableCollection(slots.values());
    }

    /// Number of elements before the first vector.
    public long matrices() {
        return matrices;
    }

    /// Number of elements in all.
    public long size() {
        return size;
    }

    /// @throws IllegalArgumentException if the model has no such tensor
    public Slot slot(TensorSpec spec) {
        Slot slot = slots.get(spec.name());
        if (slot == null) {
            throw new IllegalArgumentException("no parameter is called " + spec.name());
        }
        return slot;
    }

    /// A layer's tensors of the given roles, which are multiplied as one; none if it has none.
    ///
    /// @throws IllegalArgumentException if a layer has some of them only, or if they are not
    ///   neighbours of one width in this order
    List<Slot> group(int layer, Role... roles) {
        List<Slot> group = new ArrayList<>();
        for (Role role : roles) {
            tensors.find(layer, role).ifPresent(spec -> group.add(slot(spec)));
        }
        if (!group.isEmpty() && group.size() < roles.length) {
            throw new IllegalArgumentException(
                    "layer %d has some of %s only: all or none of them can be computed"
                            .formatted(layer, List.of(roles)));
        }
        for (int i = 1; i < group.size(); i++) {
            Slot before = group.get(i - 1);
            Slot next = group.get(i);
            if (next.offset() != before.end() || next.columns() != before.columns()) {
                throw new IllegalArgumentException(
                        "%s and %s are not neighbours of one width: they cannot be multiplied as one"
                                .formatted(before.spec().name(), next.spec().name()));
            }
        }
        return group;
    }
}
