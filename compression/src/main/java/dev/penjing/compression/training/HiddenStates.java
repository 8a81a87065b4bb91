package dev.penjing.compression.training;

import dev.penjing.compression.decoder.Probe;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// The hidden states behind each layer of a forward pass, for a [HiddenLoss]. They live as long as
/// the scope in which the pass ran.
public final class HiddenStates implements Probe {
    private final Map<Integer, Tensor> outputs = new HashMap<>();

    @Override
    public void layer(int layer, Tensor inputND, Tensor outputND) {
        outputs.put(layer, outputND);
    }

    /// What a layer made, before the final norm, `[N, D]` in the computing type.
    ///
    /// @param layer counted from 0
    /// @throws IllegalArgumentException if the decoder has no such layer
    public Tensor after(int layer) {
        Tensor output = outputs.get(layer);
        if (output == null) {
            throw new IllegalArgumentException("the decoder has no layer " + layer);
        }
        return output;
    }
}
