package dev.penjing.compression.importance;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Runs a model over sample text and sums up its activations.
///
/// Sums are float32 over samples, never over batches, so that the number of sequences that go
/// through at once does not matter.
public final class Scorer implements Probe, AutoCloseable {
    private final long length;
    private final List<Tensor> neurons = new ArrayList<>();
    private final List<Tensor> heads = new ArrayList<>();
    private final List<Tensor> norms = new ArrayList<>();
    private final Tensor layers;

    private Scorer(ModelConfig config, Compute compute, long length) {
        this.length = length;
        TensorOptions floats = compute.options(ScalarType.Float);
        try (PointerScope scope = new PointerScope()) {
            for (int i = 0; i < config.numHiddenLayers(); i++) {
                neurons.add(Tensors.keep(Tensors.zeros(floats, config.intermediateSize())));
                long width = (long) config.numAttentionHeads() * config.headDim();
                heads.add(Tensors.keep(Tensors.zeros(floats, width)));
                norms.add(Tensors.keep(Tensors.zeros(floats, config.hiddenSize())));
                norms.add(Tensors.keep(Tensors.zeros(floats, config.hiddenSize())));
            }
            layers = Tensors.keep(Tensors.zeros(floats, config.numHiddenLayers()));
        }
    }

    /// Scores `model` on the first `samples` sequences of `data` (which start anew where it ends),
    /// `microBatch` at a time.
    public static Importance score(
            Decoder model, Sequences data, int samples, int microBatch, Progress progress) {
        try (Scorer scorer = new Scorer(model.config(), model.compute(), data.length())) {
            for (int at = 0; at < samples; ) {
                int rows = Math.min(microBatch, samples - at);
                int[] ids = new int[rows * data.length()];
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(data.sample(at + i), 0, ids, i * data.length(), data.length());
                }
                try (PointerScope scope = new PointerScope();
                        AutoGradMode noGrad = new AutoGradMode(false)) {
                    Tensor idsBL = model.compute().place(Tensors.ids(ids, rows, data.length()));
                    model.hidden(model.embed(idsBL), scorer);
                }
                at += rows;
                progress.update("score", at, samples, "");
            }
            return scorer.result(samples);
        }
    }

    @Override
    public void norm(int layer, boolean afterAttention, Tensor outputND) {
        add(norms.get(2 * layer + (afterAttention ? 1 : 0)), outputND);
    }

    @Override
    public void heads(int layer, Tensor outputNHE) {
        add(heads.get(layer), outputNHE);
    }

    @Override
    public void neurons(int layer, Tensor activationNF) {
        add(neurons.get(layer), activationNF);
    }

    @Override
    public void layer(int layer, Tensor inputND, Tensor outputND) {
        try (PointerScope scope = new PointerScope()) {
            Tensor in = inputND.to(ScalarType.Float);
            Tensor out = outputND.to(ScalarType.Float);
            Tensor similarity = torch.cosine_similarity(in, out, -1, 1e-8);
            layers.narrow(0, layer, 1).add_(similarity.neg_().add_(new Scalar(1.0)).sum());
        }
    }

    /// Adds the squares of the samples' means of |x|.
    private void add(Tensor sum, Tensor activationNX) {
        try (PointerScope scope = new PointerScope()) {
            Tensor meanBX =
                    activationNX.to(ScalarType.Float).abs().view(-1, length, sum.size(0)).mean(1);
            sum.add_(meanBX.square().sum(0));
        }
    }

    private Importance result(int samples) {
        float[] influence = Tensors.floats(layers);
        for (int i = 0; i < influence.length; i++) {
            influence[i] /= (float) (samples * length);
        }
        return new Importance(roots(neurons), roots(heads), roots(norms), influence, samples);
    }

    private static float[][] roots(List<Tensor> sums) {
        return sums.stream()
                .map(sum -> {
                    float[] values = Tensors.floats(sum);
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) Math.sqrt(values[i]);
                    }
                    return values;
                })
                .toArray(float[][]::new);
    }

    @Override
    public void close() {
        neurons.forEach(Tensors::release);
        heads.forEach(Tensors::release);
        norms.forEach(Tensors::release);
        Tensors.release(layers);
    }
}
