package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The loss on the logits and its gradient, through the tokens in groups: the logits of a whole
/// batch, the largest tensors of a training step, never exist. A group of G tokens is what is
/// multiplied at once, so that the head is read and its gradient added to but a few times; a chunk
/// of C of these is what the caches hold while distributions are compared.
///
/// Forward Kullback-Leibler divergence of the teacher's distribution p from the student's q at
/// temperature 1 (Minitron, arXiv 2407.14679, section 3), or cross-entropy with the next token.
/// With logits z of q, both have the gradient `q - target`, the target being p or the one-hot
/// token; it is written down here rather than recorded.
public final class HeadLoss {
    /// Logits that a group may have.
    private static final long GROUP_LOGITS = 32L << 20;

    /// Logits that a chunk may have.
    private static final long CHUNK_LOGITS = 1L << 20;

    private HeadLoss() {}

    /// The teacher's side of a batch: hidden states `[N, Dt]` and its head `[V, Dt]`.
    public record Teacher(Tensor hiddenND, Tensor headVD) {}

    /// Where gradients go.
    ///
    /// @param hiddenND is set to the gradient of the hidden states times `scale`
    /// @param headVD float32; the head's gradient times `scale` is added
    public record Gradient(Tensor hiddenND, Tensor headVD, double scale) {}

    /// Sums over tokens, in nats.
    ///
    /// @param divergence 0 without a teacher
    /// @param teacherCrossEntropy 0 without a teacher
    public record Sums(
            double crossEntropy, double divergence, double teacherCrossEntropy, long tokens) {
        public static final Sums ZERO = new Sums(0, 0, 0, 0);

        public Sums plus(Sums other) {
            return new Sums(
                    crossEntropy + other.crossEntropy,
                    divergence + other.divergence,
                    teacherCrossEntropy + other.teacherCrossEntropy,
                    tokens + other.tokens);
        }
    }

    /// @param hiddenND the student's, `[N, D]`
    /// @param headVD the student's, `[V, D]`
    /// @param targetsN next tokens, int64
    /// @param teacher whose distribution is the target; without one the next token is
    public static Sums run(
            Tensor hiddenND,
            Tensor headVD,
            Tensor targetsN,
            Optional<Teacher> teacher,
            Optional<Gradient> gradient) {
        long group = Math.max(16, GROUP_LOGITS / headVD.size(0));
        return run(hiddenND, headVD, targetsN, teacher, gradient, group);
    }

    /// @param group most tokens of a group
    static Sums run(
            Tensor hiddenND,
            Tensor headVD,
            Tensor targetsN,
            Optional<Teacher> teacher,
            Optional<Gradient> gradient,
            long group) {
        long n = hiddenND.size(0);
        Sums sums = Sums.ZERO;
        for (long at = 0; at < n; at += group) {
            long count = Math.min(group, n - at);
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = new AutoGradMode(false)) {
                sums = sums.plus(group(at, count, hiddenND, headVD, targetsN, teacher, gradient));
            }
        }
        return sums;
    }

    private static Sums group(
            long at,
            long count,
            Tensor hiddenND,
            Tensor headVD,
            Tensor targetsN,
            Optional<Teacher> teacher,
            Optional<Gradient> gradient) {
        Tensor hiddenGD = hiddenND.narrow(0, at, count);
        Tensor targetsG = targetsN.narrow(0, at, count);
        Tensor logitsGV = torch.matmul(hiddenGD, headVD.t());
        Optional<Tensor> taughtGV =
                teacher.map(t -> torch.matmul(t.hiddenND().narrow(0, at, count), t.headVD().t()));
        Sums sums =
                FusedComparison.canDo(logitsGV, taughtGV)
                        ? FusedComparison.compare(
                                logitsGV, taughtGV, targetsG, gradient.isPresent())
                        : compare(logitsGV, taughtGV, targetsG, gradient.isPresent());
        if (gradient.isPresent()) {
            Gradient g = gradient.get();
            Scalar scale = new Scalar(g.scale());
            g.hiddenND().narrow(0, at, count).copy_(torch.matmul(logitsGV, headVD).mul_(scale));
            g.headVD().add_(torch.matmul(logitsGV.t(), hiddenGD), scale);
        }
        return sums;
    }

    /// What [FusedComparison] does, by libtorch's operations, on any device.
    ///
    /// @param logitsGV the student's; with `differentiate` they become their own gradient
    static Sums compare(
            Tensor logitsGV, Optional<Tensor> taughtGV, Tensor targetsG, boolean differentiate) {
        long n = logitsGV.size(0);
        long chunk = Math.max(1, CHUNK_LOGITS / logitsGV.size(1));
        Sums sums = Sums.ZERO;
        for (long at = 0; at < n; at += chunk) {
            long count = Math.min(chunk, n - at);
            try (PointerScope scope = new PointerScope()) {
                Tensor logitsCV = logitsGV.narrow(0, at, count);
                Tensor targetsC1 = targetsG.narrow(0, at, count).view(-1, 1);
                Tensor logQ = logProbabilities(logitsCV);
                double crossEntropy = -logQ.gather(1, targetsC1).sum().item_double();
                double divergence = 0;
                double teacherCrossEntropy = 0;
                Optional<Tensor> p = Optional.empty();
                if (taughtGV.isPresent()) {
                    Tensor logP = logProbabilities(taughtGV.get().narrow(0, at, count));
                    teacherCrossEntropy = -logP.gather(1, targetsC1).sum().item_double();
                    Tensor probabilities = logP.exp();
                    divergence = logP.sub_(logQ).mul_(probabilities).sum().item_double();
                    p = Optional.of(probabilities);
                }
                if (differentiate) {
                    Tensor q = logQ.exp_();
                    logitsCV.copy_(p.isPresent() ? q.sub_(p.get()) : lessOne(q, targetsC1));
                }
                sums = sums.plus(new Sums(crossEntropy, divergence, teacherCrossEntropy, count));
            }
        }
        return sums;
    }

    private static Tensor lessOne(Tensor qCV, Tensor targetsC1) {
        Tensor less = torch.full_like(targetsC1, new Scalar(-1)).to(ScalarType.Float);
        return qCV.scatter_add_(1, targetsC1, less);
    }

    /// In float32.
    private static Tensor logProbabilities(Tensor logitsCV) {
        return torch.log_softmax(
                logitsCV, -1, new org.bytedeco.pytorch.ScalarTypeOptional(ScalarType.Float));
    }
}
