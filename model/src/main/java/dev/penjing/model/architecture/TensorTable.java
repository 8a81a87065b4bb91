package dev.penjing.model.architecture;

import java.util.AbstractList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.RandomAccess;

/// Every tensor of a model, in the order of its checkpoint, found by role.
public final class TensorTable extends AbstractList<TensorSpec> implements RandomAccess {
    /// Where tensors that belong to no layer are kept.
    private static final int OUTSIDE = -1;

    private final List<TensorSpec> all;
    private final Map<Integer, Map<Role, TensorSpec>> byLayer = new HashMap<>();

    TensorTable(List<TensorSpec> all) {
        this.all = List.copyOf(all);
        for (TensorSpec spec : all) {
            Map<Role, TensorSpec> layer =
                    byLayer.computeIfAbsent(
                            spec.layer().orElse(OUTSIDE), l -> new EnumMap<>(Role.class));
            if (layer.put(spec.role(), spec) != null) {
                throw new IllegalArgumentException("two tensors have the role of " + spec.name());
            }
        }
    }

    /// The tensor of a layer that has a role, where there is one.
    public Optional<TensorSpec> find(int layer, Role role) {
        return Optional.ofNullable(byLayer.getOrDefault(layer, Map.of()).get(role));
    }

    /// The tensors of one layer alone.
    public TensorTable ofLayer(int layer) {
        return new TensorTable(
                all.stream().filter(t -> t.layer().orElse(OUTSIDE) == layer).toList());
    }

    /// A tensor that belongs to no layer, where there is one.
    public Optional<TensorSpec> find(Role role) {
        return find(OUTSIDE, role);
    }

    /// @throws IllegalArgumentException if the layer has no such tensor
    public TensorSpec in(int layer, Role role) {
        return find(layer, role)
                .orElseThrow(
                        () -> new IllegalArgumentException("layer " + layer + " has no " + role));
    }

    /// @throws IllegalArgumentException if the model has no such tensor outside of its layers
    public TensorSpec of(Role role) {
        return find(role)
                .orElseThrow(() -> new IllegalArgumentException("the model has no " + role));
    }

    @Override
    public TensorSpec get(int index) {
        return all.get(index);
    }

    @Override
    public int size() {
        return all.size();
    }
}
