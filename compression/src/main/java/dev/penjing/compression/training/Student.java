package dev.penjing.compression.training;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.gguf.FileType;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// A model in training: float32 master parameters, the copy of them that computes (bfloat16 where
/// the processor has it, rounded where it is trained for a quantised file), and float32 gradients.
/// Owns native memory.
final class Student implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final FlatParameters master;
    private final FlatParameters work;
    private final FlatParameters workGradients;
    private final FlatParameters gradients;
    private final Optional<FakeQuantization> rounding;
    private final Decoder decoder;

    /// Takes over `master` (float32), which is closed if the rest of the memory is refused.
    ///
    /// @param quantization of the file that it is trained for
    Student(
            ModelConfig config,
            FlatParameters master,
            Optional<FileType> quantization,
            Compute compute) {
        this.config = config;
        this.compute = compute;
        try (Closer closer = new Closer()) {
            this.master = closer.own(master, FlatParameters::close);
            this.gradients = zeros(ScalarType.Float, closer);
            boolean same = compute.type() == ScalarType.Float;
            this.rounding =
                    quantization.map(type ->
                            closer.own(
                                    new FakeQuantization(type, master, config, compute.threads()),
                                    FakeQuantization::close));
            this.work = same && rounding.isEmpty() ? master : zeros(compute.type(), closer);
            this.workGradients = same ? gradients : zeros(compute.type(), closer);
            refresh();
            this.decoder = Decoder.trainable(config, work, workGradients, compute);
            closer.keep();
        }
    }

    private FlatParameters zeros(ScalarType type, Closer closer) {
        return closer.own(FlatParameters.zeros(config, compute, type), FlatParameters::close);
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

    /// Makes the computing copy what the master is, rounded for the file that it is trained for.
    void refresh() {
        if (work != master) {
            try (AutoGradMode noGrad = new AutoGradMode(false)) {
                work.flat().copy_(master.flat());
            }
            rounding.ifPresent(r -> r.round(work));
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
    /// @param hiddenLoss a loss on hidden states beside that on the logits, which needs a teacher
    HeadLoss.Sums accumulate(
            Tensor inputsBL,
            Tensor targetsN,
            Optional<HeadLoss.Teacher> teacher,
            HeadLoss loss,
            Optional<HiddenLoss> hiddenLoss,
            double scale,
            StepTimes times) {
        TensorSpec embedding = config.tensors().of(Role.EMBEDDING);
        Tensor embedded;
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            embedded = decoder.embed(inputsBL);
        }
        embedded.set_requires_grad(true);
        HiddenStates states = new HiddenStates();
        Tensor hidden = decoder.hidden(embedded, hiddenLoss.isPresent() ? states : Probe.NONE);
        times.forward();
        HeadLoss.Sums sums;
        Tensor hiddenGradient;
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            hiddenGradient =
                    Tensors.empty(compute.options(compute.type()), hidden.size(0), hidden.size(1));
            Tensor headGradient =
                    gradients.view(config.tensors().find(Role.HEAD).orElse(embedding));
            sums =
                    loss.run(
                            hidden.detach(),
                            decoder.head(),
                            targetsN,
                            teacher,
                            Optional.of(
                                    new HeadLoss.Gradient(hiddenGradient, headGradient, scale)));
        }
        if (hiddenLoss.isPresent()) {
            Tensor extra = hiddenLoss.get().sum(states, teacher.orElseThrow().layers());
            sums = sums.plus(new HeadLoss.Sums(extra.item_double(), 0, 0, 0, 0));
            times.loss();
            Tensor extraGradient = torch.full_like(extra, new Scalar(scale));
            torch.backward(
                    new TensorVector(hidden, extra),
                    new TensorVector(hiddenGradient, extraGradient),
                    new BoolOptional(),
                    false,
                    new TensorVector());
        } else {
            times.loss();
            hidden.backward(
                    hiddenGradient, new BoolOptional(), false, new TensorArrayRefOptional());
        }
        try (AutoGradMode noGrad = new AutoGradMode(false)) {
            gradients
                    .view(embedding)
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
        rounding.ifPresent(FakeQuantization::close);
        try (PointerScope scope = new PointerScope()) {
            if (work != master) {
                work.close();
            }
            if (workGradients != gradients) {
                workGradients.close();
            }
            master.close();
            gradients.close();
        }
    }
}
