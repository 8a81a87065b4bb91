package dev.penjing.compression.training;

import dev.penjing.model.UsageException;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Distillation: forward Kullback-Leibler divergence of the teacher's distribution p from the
/// student's q (Minitron, arXiv 2407.14679, section 3, at temperature 1). At a temperature T both
/// are those of logits / T, and the loss is multiplied by T^2, so that its gradient stays as large
/// (Hinton et al., arXiv 1503.02531, section 2). With logits z of q the gradient is `T (q - p)`.
///
/// @param temperature positive
public record ForwardKl(double temperature) implements Objective {
    /// The name in [#key].
    static final String NAME = "kl";

    /// @throws UsageException if the temperature is not positive
    public ForwardKl {
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new UsageException("temperature must be positive, not " + temperature);
        }
    }

    /// At temperature 1.
    public ForwardKl() {
        this(1);
    }

    @Override
    public String key() {
        return temperature == 1 ? NAME : NAME + "@" + temperature;
    }

    @Override
    public boolean needsTeacher() {
        return true;
    }

    @Override
    public double loss(TokenLogits logits) {
        return temperature * temperature * logits.divergence(temperature);
    }

    @Override
    public Tensor gradient(TokenLogits logits) {
        Tensor difference = logits.logQ(temperature).exp().sub_(logits.logP(temperature).exp());
        return temperature == 1 ? difference : difference.mul_(new Scalar(temperature));
    }

    @Override
    public Optional<FusedTerms> fused() {
        return temperature == 1 ? Optional.of(new FusedTerms(1, 0)) : Optional.empty();
    }
}
