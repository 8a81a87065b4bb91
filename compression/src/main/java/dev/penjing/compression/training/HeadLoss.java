package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The loss on the logits and its gradient, through the tokens in chunks: the logits of a whole
/// batch, the largest tensors of a training step, never exist. C is the tokens of a chunk.
///
/// Forward Kullback-Leibler divergence of the teacher's distribution p from the student's q at
/// temperature 1 (Minitron, arXiv 2407.14679, section 3), or cross-entropy with the next token.
/// With logits z of q, both have the gradient `q - target`, the target being p or the one-hot
/// token; it is written down here rather than recorded.
public final class HeadLoss {
    /// Bytes of float32 logits that a chunk may take.
    private static final long CHUNK_BYTES = 32L << 20;

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
        long n = hiddenND.size(0);
        long chunk = Math.max(16, CHUNK_BYTES / (4 * headVD.size(0)));
        Sums sums = Sums.ZERO;
        for (long at = 0; at < n; at += chunk) {
            long count = Math.min(chunk, n - at);
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = new AutoGradMode(false)) {
                sums = sums.plus(chunk(at, count, hiddenND, headVD, targetsN, teacher, gradient));
            }
        }
        return sums;
    }

    private static Sums chunk(
            long at,
            long count,
            Tensor hiddenND,
            Tensor headVD,
            Tensor targetsN,
            Optional<Teacher> teacher,
            Optional<Gradient> gradient) {
        Tensor hiddenCD = hiddenND.narrow(0, at, count);
        Tensor targetsC1 = targetsN.narrow(0, at, count).view(-1, 1);
        Tensor logQ = logProbabilities(hiddenCD, headVD);
        double crossEntropy = -logQ.gather(1, targetsC1).sum().item_double();
        double divergence = 0;
        double teacherCrossEntropy = 0;
        Optional<Tensor> p = Optional.empty();
        if (teacher.isPresent()) {
            Tensor logP =
                    logProbabilities(
                            teacher.get().hiddenND().narrow(0, at, count), teacher.get().headVD());
            teacherCrossEntropy = -logP.gather(1, targetsC1).sum().item_double();
            Tensor probabilities = logP.exp();
            divergence = probabilities.view(-1).dot(logP.sub_(logQ).view(-1)).item_double();
            p = Optional.of(probabilities);
        }
        if (gradient.isPresent()) {
            Gradient g = gradient.get();
            Tensor q = logQ.exp_();
            Tensor difference =
                    p.isPresent()
                            ? q.sub_(p.get())
                            : q.scatter_add_(
                                    1,
                                    targetsC1,
                                    torch.full_like(targetsC1, new Scalar(-1))
                                            .to(ScalarType.Float));
            Tensor deltaCV = difference.to(hiddenCD.scalar_type());
            Scalar scale = new Scalar(g.scale());
            g.hiddenND().narrow(0, at, count).copy_(torch.matmul(deltaCV, headVD).mul_(scale));
            g.headVD().add_(torch.matmul(deltaCV.t(), hiddenCD), scale);
        }
        return new Sums(crossEntropy, divergence, teacherCrossEntropy, count);
    }

    /// `[C, V]` in float32.
    static Tensor logProbabilities(Tensor hiddenCD, Tensor headVD) {
        Tensor logits = torch.matmul(hiddenCD, headVD.t());
        return torch.log_softmax(
                logits, -1, new org.bytedeco.pytorch.ScalarTypeOptional(ScalarType.Float));
    }
}
