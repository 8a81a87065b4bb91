package dev.penjing.compression.decoder;

import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/// Views of parameters to which autograd adds the gradients, where they are wanted.
record Leaves(FlatParameters parameters, Optional<FlatParameters> gradients) {
    /// A layer's tensors of these roles as one.
    Tensor of(int layer, Role... roles) {
        List<Slot> group = parameters.layout().group(layer, roles);
        if (group.isEmpty()) {
            throw new IllegalArgumentException(
                    "layer %d has no %s".formatted(layer, List.of(roles)));
        }
        return of(group);
    }

    /// The same where the layer has them.
    TensorOptional ifAny(int layer, Role... roles) {
        List<Slot> group = parameters.layout().group(layer, roles);
        return group.isEmpty() ? new TensorOptional() : new TensorOptional(of(group));
    }

    /// A norm of a layer, where there is one.
    ///
    /// @param bias its role, where it may have one
    Optional<Operations.Gain> norm(int layer, Role weight, Role... bias) {
        List<Slot> group = parameters.layout().group(layer, weight);
        return group.isEmpty()
                ? Optional.empty()
                : Optional.of(new Operations.Gain(of(group), ifAny(layer, bias)));
    }

    Tensor of(TensorSpec spec) {
        return of(List.of(parameters.layout().slot(spec)));
    }

    private Tensor of(List<Slot> group) {
        Tensor view = parameters.rows(group).detach();
        gradients.ifPresent(g -> {
            view.set_requires_grad(true);
            view.mutable_grad().put(g.rows(group));
        });
        return view;
    }
}
