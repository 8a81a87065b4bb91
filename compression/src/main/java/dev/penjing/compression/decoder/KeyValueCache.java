package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Keys and values of the positions that a batch of sequences has already passed, a pair for each
/// layer, `[B * K, positions, E]`. Grows by copying: for short generations and measuring; the
/// serving engine has its own.
public final class KeyValueCache implements AutoCloseable {
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();

    /// Positions held, as the first layer sees them.
    public long length() {
        return keys.isEmpty() ? 0 : keys.getFirst().size(1);
    }

    Tensor keys(int layer, Tensor added) {
        return append(keys, layer, added);
    }

    Tensor values(int layer, Tensor added) {
        return append(values, layer, added);
    }

    private static Tensor append(List<Tensor> held, int layer, Tensor added) {
        if (layer == held.size()) {
            held.add(Tensors.keep(added));
            return added;
        }
        Tensor before = held.get(layer);
        Tensor both = Tensors.keep(torch.cat(new TensorVector(before, added), 1));
        held.set(layer, both);
        Tensors.release(before);
        return both;
    }

    @Override
    public void close() {
        keys.forEach(Tensors::release);
        values.forEach(Tensors::release);
        keys.clear();
        values.clear();
    }
}
