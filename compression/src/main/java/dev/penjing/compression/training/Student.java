package dev.penjing.compression.training;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// A model in training: float32 master parameters, the copy of them that computes (bfloat16 where
/// the processor has it), and float32 gradients. Owns native memory.
final class Student implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final FlatParameters master;
    private final FlatParameters work;
    private final FlatParameters workGradients;
    private final FlatParameters gradients;
    private final Decoder decoder;

    /// Takes over `master` (float32).
    Student(ModelConfig config, FlatParameters master, Compute compute) {
        this.config = config;
        this.compute = compute;
        this.master = master;
        this.gradients = FlatParameters.zeros(config, compute, ScalarType.Float);
        boolean same = compute.type() == ScalarType.Float;
        this.work = same ? master : FlatParameters.zeros(config, compute, compute.type());
        this.workGradients = same ? gradients : FlatParameters.zeros(config, compute, compute.type());
        refresh();
        this.decoder = Decoder.trainable(config, work, workGradients, compute);
    }

    ModelConfig config() {
        return config;
    }

    Decoder decoder() {
        return decoder;
    }

    FlatParameters master() {
        return master;
    }

    /// What the backward passes since the last [#clearGradients] came to, `[size]`.
    Tensor gradient() {
        return gradients.flat();
    }

    /// Makes the computing copy what the master is.
    void refresh() {
        if (work != master) {
            try (AutoGradMode noGrad = new AutoGradMode(false)) {
                work.flat().copy_(master.flat());
            }
        }
    }

    void clearGradients() {
        gradients.flat().zero_();
    }

    /// Forward and backward of one micro-batch: adds `scale` times the gradient of the summed loss.
    /// Allocates in the caller's scope.
    ///
    /// @param inputsBL int64
    /// @param targetsN int64
    HeadLoss.Sums accumulate(
            Tensor inputsBL,
            Tensor targetsN,
            Optional<HeadLoss.Teacher> teacher,
            double scale,
            StepTimes times) {
        Tensor embedded;
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            embedded = decoder.embed(inputsBL);
        }
        embedded.set_requires_grad(true);
        Tensor hidden = decoder.hidden(embedded);
        times.forward();
        HeadLoss.Sums sums;
        Tensor hiddenGradient;
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            hiddenGradient =
                    Tensors.empty(compute.options(compute.type()), hidden.size(0), hidden.size(1));
            Tensor headGradient =
                    gradients.view(
                            config.tieWordEmbeddings()
                                    ? "model.embed_tokens.weight"
                                    : "lm_head.weight");
            sums =
                    HeadLoss.run(
                            hidden.detach(),
                            decoder.head(),
                            targetsN,
                            teacher,
                            Optional.of(
                                    new HeadLoss.Gradient(hiddenGradient, headGradient, scale)));
        }
        times.loss();
        hidden.backward(
                hiddenGradient,
                new org.bytedeco.pytorch.BoolOptional(),
                false,
                new org.bytedeco.pytorch.TensorArrayRefOptional());
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            gradients
                    .view("model.embed_tokens.weight")
                    .index_add_(
                            0,
                            inputsBL.reshape(-1),
                            embedded.grad().view(-1, config.hiddenSize()).to(ScalarType.Float));
            if (workGradients != gradients) {
                gradients.flat().add_(workGradients.flat());
                workGradients.flat().zero_();
            }
        }
        times.backward();
        return sums;
    }

    @Override
    public void close() {
        decoder.close();
        try (PointerScope scope = new PointerScope()) {
            if (work != master) {
                work.close();
                workGradients.close();
            }
            master.close();
            gradients.close();
        }
    }
}
