package dev.penjing.compression.layerwise;

import dev.penjing.compression.decoder.CausalAttention;
import dev.penjing.compression.decoder.DecoderLayer;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.ModelConfig;
import java.util.function.BiFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// One layer of a model over all of the calibration text, from file to file.
///
/// @param index of the layer
/// @param parameters its own, at least
public record LayerWalk(
        ModelConfig config,
        int index,
        FlatParameters parameters,
        Calibration calibration,
        Compute compute) {
    /// Its attention: from the layer's input to the middle of the residual stream.
    public void attention(HiddenFile in, HiddenFile middle) {
        try (CausalAttention attention = new CausalAttention(config, compute)) {
            each(
                    in,
                    middle,
                    (layer, batch) -> {
                        Tensor xND = rows(in, batch, compute);
                        Tensor headsNHE =
                                layer.heads(
                                        layer.attentionNorm(xND),
                                        batch.samples(),
                                        batch.length(),
                                        attention);
                        return xND.add(layer.output(headsNHE));
                    });
        }
    }

    /// Its MLP: from there to the next layer's input.
    public void mlp(HiddenFile middle, HiddenFile next) {
        each(
                middle,
                next,
                (layer, batch) -> {
                    Tensor xND = rows(middle, batch, compute);
                    return xND.add(layer.down(layer.neurons(layer.mlpNorm(xND))));
                });
    }

    /// Both in one, from the layer's input to the next one's.
    ///
    /// @param probe sees what comes about on the way
    public void whole(HiddenFile in, HiddenFile next, Probe probe) {
        try (CausalAttention attention = new CausalAttention(config, compute)) {
            each(
                    in,
                    next,
                    (layer, batch) -> {
                        Tensor xND = rows(in, batch, compute);
                        Tensor outND =
                                layer.forward(
                                        xND, batch.samples(), batch.length(), probe, attention);
                        probe.layer(index, xND, outND);
                        return outND;
                    });
        }
    }

    private void each(
            HiddenFile from,
            HiddenFile to,
            BiFunction<DecoderLayer, Calibration.Batch, Tensor> work) {
        try (PointerScope scope = new PointerScope()) {
            DecoderLayer layer = layer();
            for (Calibration.Batch batch : calibration.batches()) {
                try (PointerScope inner = new PointerScope()) {
                    to.rows(batch.from(), batch.tokens()).copy_(work.apply(layer, batch));
                }
            }
        }
    }

    /// In the caller's scope.
    public DecoderLayer layer() {
        return DecoderLayer.of(config, index, parameters, compute);
    }

    /// A batch's states, where they are computed with.
    public static Tensor rows(HiddenFile file, Calibration.Batch batch, Compute compute) {
        return compute.place(file.rows(batch.from(), batch.tokens())).to(compute.type());
    }
}
