package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Runs an [Objective] through the head of a model: logits, loss, and the gradients of head and
/// hidden states. The logits of a whole batch, the largest tensors of a training step, never exist.
///
/// The tokens go through in groups of G, for each of which the head is multiplied once; large
/// groups read the head less often. Within a group libtorch compares distributions in chunks of C
/// tokens, which fit into the caches; [FusedComparison] needs no chunks. Both come to the same up
/// to rounding. Not thread-safe.
public final class HeadLoss implements AutoCloseable {
    /// Logits that a group may have.
    private static final long GROUP_LOGITS = 32L << 20;

    /// Logits that a chunk may have.
    private static final long CHUNK_LOGITS = 1L << 20;

    /// Whether [FusedComparison] can be loaded at all.
    static final boolean VECTORS =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

    private final Objective objective;
    private final RowThreads threads;

    /// @param threads of the CPU
    public HeadLoss(Objective objective, int threads) {
        this.objective = objective;
        this.threads = new RowThreads(threads);
    }

    /// The teacher's side of a batch: hidden states `[N, Dt]`, its head `[V, Dt]`, and the hidden
    /// states behind its layers, where the objective has a loss on them.
    public record Teacher(Tensor hiddenND, Tensor headVD, HiddenStates layers) {
        public Teacher(Tensor hiddenND, Tensor headVD) {
            this(hiddenND, headVD, new HiddenStates());
        }
    }

    /// Where gradients go.
    ///
    /// @param hiddenND is set to the gradient of the hidden states times `scale`
    /// @param headVD float32; the head's gradient times `scale` is added
    public record Gradient(Tensor hiddenND, Tensor headVD, double scale) {}

    /// Sums over tokens, in nats.
    ///
    /// @param loss the objective
    /// @param divergence Kullback-Leibler, at temperature 1; 0 without a teacher
    /// @param teacherCrossEntropy 0 without a teacher
    public record Sums(
            double loss,
            double crossEntropy,
            double divergence,
            double teacherCrossEntropy,
            long tokens) {
        public static final Sums ZERO = new Sums(0, 0, 0, 0, 0);

        public Sums plus(Sums other) {
            return new Sums(
                    loss + other.loss,
                    crossEntropy + other.crossEntropy,
                    divergence + other.divergence,
                    teacherCrossEntropy + other.teacherCrossEntropy,
                    tokens + other.tokens);
        }
    }

    /// @param hiddenND the student's, `[N, D]`
    /// @param headVD the student's, `[V, D]`
    /// @param targetsN next tokens, int64
    /// @param teacher must be there if the objective needs it
    public Sums run(
            Tensor hiddenND,
            Tensor headVD,
            Tensor targetsN,
            Optional<Teacher> teacher,
            Optional<Gradient> gradient) {
        long group = Math.max(16, GROUP_LOGITS / headVD.size(0));
        return run(hiddenND, headVD, targetsN, teacher, gradient, group);
    }

    /// @param group most tokens of a group
    Sums run(
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

    private Sums group(
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
        Optional<Objective.FusedTerms> fused =
                canFuse(logitsGV, taughtGV) ? objective.fused() : Optional.empty();
        boolean differentiate = gradient.isPresent();
        Sums sums =
                fused.isPresent()
                        ? FusedComparison.compare(
                                logitsGV, taughtGV, targetsG, fused.get(), differentiate, threads)
                        : compare(objective, logitsGV, taughtGV, targetsG, differentiate);
        if (gradient.isPresent()) {
            Gradient g = gradient.get();
            Scalar scale = new Scalar(g.scale());
            g.hiddenND().narrow(0, at, count).copy_(torch.matmul(logitsGV, headVD).mul_(scale));
            g.headVD().add_(torch.matmul(logitsGV.t(), hiddenGD), scale);
        }
        return sums;
    }

    /// Whether [FusedComparison] takes such logits: float32 or bfloat16 on the CPU, in a JVM that
    /// has the Vector API.
    static boolean canFuse(Tensor logitsGV, Optional<Tensor> taughtGV) {
        ScalarType type = logitsGV.scalar_type().intern();
        return VECTORS
                && logitsGV.is_cpu()
                && logitsGV.is_contiguous()
                && (type == ScalarType.Float || type == ScalarType.BFloat16)
                && taughtGV.map(t -> t.scalar_type().intern() == type && t.is_contiguous())
                        .orElse(true);
    }

    /// By libtorch's operations, on any device.
    ///
    /// @param logitsGV the student's; with `differentiate` they become the gradient of the loss
    static Sums compare(
            Objective objective,
            Tensor logitsGV,
            Optional<Tensor> taughtGV,
            Tensor targetsG,
            boolean differentiate) {
        long n = logitsGV.size(0);
        long chunk = Math.max(1, CHUNK_LOGITS / logitsGV.size(1));
        Sums sums = Sums.ZERO;
        for (long at = 0; at < n; at += chunk) {
            long from = at;
            long count = Math.min(chunk, n - at);
            try (PointerScope scope = new PointerScope()) {
                Tensor logitsCV = logitsGV.narrow(0, at, count);
                TokenLogits logits =
                        new TokenLogits(
                                logitsCV,
                                taughtGV.map(t -> t.narrow(0, from, count)),
                                targetsG.narrow(0, at, count).view(-1, 1));
                sums =
                        sums.plus(
                                new Sums(
                                        objective.loss(logits),
                                        logits.crossEntropy(),
                                        logits.divergence(1),
                                        logits.teacherCrossEntropy(),
                                        count));
                if (differentiate) {
                    logitsCV.copy_(objective.gradient(logits));
                }
            }
        }
        return sums;
    }

    @Override
    public void close() {
        threads.close();
    }
}
