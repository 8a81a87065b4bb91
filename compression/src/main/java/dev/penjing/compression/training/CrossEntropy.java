package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Pretraining: cross-entropy with the next token. With logits z of the student's distribution q
/// the gradient is `q - onehot(token)`.
public record CrossEntropy() implements Objective {
    /// The name in [#key].
    static final String NAME = "ce";

    @Override
    public String key() {
        return NAME;
    }

    @Override
    public boolean needsTeacher() {
        return false;
    }

    @Override
    public double loss(TokenLogits logits) {
        return logits.crossEntropy();
    }

    @Override
    public Tensor gradient(TokenLogits logits) {
        Tensor less = torch.full_like(logits.targets(), new Scalar(-1)).to(ScalarType.Float);
        return logits.logQ(1).exp().scatter_add_(1, logits.targets(), less);
    }

    @Override
    public Optional<FusedTerms> fused() {
        return Optional.of(new FusedTerms(0, 1));
    }
}
