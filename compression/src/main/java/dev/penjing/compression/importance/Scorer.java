package dev.penjing.compression.importance;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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
    private final Map<Axis, List<Tensor>> sums = new EnumMap<>(Axis.class);

    /// @param length tokens of a sample
    Scorer(ModelConfig config, Compute compute, long length) {
        this.length = length;
        TensorOptions floats = compute.options(ScalarType.Float);
        try (PointerScope scope = new PointerScope()) {
            for (Axis axis : Importance.AXES) {
                List<Tensor> rows = new ArrayList<>();
                for (int row = 0; row < Importance.rows(axis, config); row++) {
                    rows.add(Tensors.keep(Tensors.zeros(floats, Importance.width(axis, config))));
                }
                sums.put(axis, rows);
            }
        }
    }

    private Tensor sum(Axis axis, int row) {
        return sums.getOrDefault(axis, List.of()).get(row);
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
        add(sum(Axis.HIDDEN, 2 * layer + (afterAttention ? 1 : 0)), outputND);
    }

    @Override
    public void heads(int layer, Tensor outputNHE) {
        add(sum(Axis.QUERY_HEAD, layer), outputNHE);
    }

    @Override
    public void neurons(int layer, Tensor activationNF) {
        add(sum(Axis.NEURON, layer), activationNF);
    }

    @Override
    public void layer(int layer, Tensor inputND, Tensor outputND) {
        try (PointerScope scope = new PointerScope()) {
            Tensor in = inputND.to(ScalarType.Float);
            Tensor out = outputND.to(ScalarType.Float);
            Tensor similarity = torch.cosine_similarity(in, out, -1, 1e-8);
            sum(Axis.LAYER, 0)
                    .narrow(0, layer, 1)
                    .add_(similarity.neg_().add_(new Scalar(1.0)).sum());
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

    /// The sums so far, by axis and row.
    Map<Axis, float[][]> sums() {
        Map<Axis, float[][]> copies = new EnumMap<>(Axis.class);
        sums.forEach((axis, rows) ->
                copies.put(axis, rows.stream().map(Tensors::floats).toArray(float[][]::new)));
        return copies;
    }

    /// Takes the sums of a scorer that was stopped.
    void restore(Map<Axis, float[][]> earlier, Compute compute) {
        Compute floats = new Compute(compute.device(), ScalarType.Float, compute.threads());
        try (PointerScope scope = new PointerScope()) {
            earlier.forEach((axis, rows) -> {
                for (int row = 0; row < rows.length; row++) {
                    sum(axis, row).copy_(floats.tensor(rows[row], rows[row].length));
                }
            });
        }
    }

    /// @throws PenjingException if a score is not finite
    Importance result(int samples) {
        Map<Axis, float[][]> activations = new EnumMap<>(Axis.class);
        sums.forEach((axis, rows) -> {
            float[][] scores = rows.stream().map(Tensors::floats).toArray(float[][]::new);
            for (float[] row : scores) {
                for (int i = 0; i < row.length; i++) {
                    row[i] =
                            axis == Axis.LAYER
                                    ? row[i] / (float) (samples * length)
                                    : (float) Math.sqrt(row[i]);
                    if (!Float.isFinite(row[i])) {
                        throw new PenjingException(
                                "the teacher's activations are not finite, so its %s have no importance: is the checkpoint damaged, or its type too small for it?"
                                        .formatted(axis.parts()));
                    }
                }
            }
            activations.put(axis, scores);
        });
        return new Importance(activations, samples);
    }

    @Override
    public void close() {
        sums.values().forEach(rows -> rows.forEach(Tensors::release));
    }
}
