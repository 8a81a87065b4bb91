package dev.penjing.compression.generation;

import dev.penjing.model.architecture.LayerAttention;
import dev.penjing.model.architecture.ModelConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;

/// Masks of a pass, one for each window that some layer has.
final class Windows {
    private Windows() {}

    /// @param mask what hides the positions outside of a window (all, where it is the largest
    ///   number); empty where nothing is to be hidden
    static Map<OptionalInt, Tensor> masks(ModelConfig config, IntFunction<Optional<Tensor>> mask) {
        Set<OptionalInt> windows =
                config.attention().stream().map(LayerAttention::window).collect(Collectors.toSet());
        Map<OptionalInt, Tensor> masks = new HashMap<>();
        for (OptionalInt window : windows) {
            mask.apply(window.orElse(Integer.MAX_VALUE)).ifPresent(m -> masks.put(window, m));
        }
        return masks;
    }
}
