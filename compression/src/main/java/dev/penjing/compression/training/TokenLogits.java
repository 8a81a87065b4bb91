package dev.penjing.compression.training;

import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// The logits of C tokens over a vocabulary of V, by student and teacher, and what losses need of
/// them, by libtorch's operations in float32 on any device. Tensors belong to the scope in which
/// they are asked for, and must not be changed.
public final class TokenLogits {
    private final Tensor studentCV;
    private final Optional<Tensor> teacherCV;
    private final Tensor targetsC1;
    private Optional<Tensor> logQ = Optional.empty();
    private Optional<Tensor> logP = Optional.empty();

    /// @param studentCV in any floating type
    /// @param targetsC1 next tokens, int64
    TokenLogits(Tensor studentCV, Optional<Tensor> teacherCV, Tensor targetsC1) {
        this.studentCV = studentCV;
        this.teacherCV = teacherCV;
        this.targetsC1 = targetsC1;
    }

    /// The next tokens, int64 `[C, 1]`.
    public Tensor targets() {
        return targetsC1;
    }

    public boolean hasTeacher() {
        return teacherCV.isPresent();
    }

    /// Logarithms of the student's probabilities q, `[C, V]`.
    public Tensor logQ(double temperature) {
        if (temperature != 1) {
            return logProbabilities(studentCV, temperature);
        }
        if (logQ.isEmpty()) {
            logQ = Optional.of(logProbabilities(studentCV, 1));
        }
        return logQ.get();
    }

    /// Logarithms of the teacher's probabilities p, `[C, V]`.
    ///
    /// @throws java.util.NoSuchElementException without a teacher
    public Tensor logP(double temperature) {
        if (temperature != 1) {
            return logProbabilities(teacherCV.orElseThrow(), temperature);
        }
        if (logP.isEmpty()) {
            logP = Optional.of(logProbabilities(teacherCV.orElseThrow(), 1));
        }
        return logP.get();
    }

    private static Tensor logProbabilities(Tensor logitsCV, double temperature) {
        Tensor warmed =
                temperature == 1
                        ? logitsCV
                        : logitsCV.to(ScalarType.Float).div(new Scalar(temperature));
        return torch.log_softmax(warmed, -1, new ScalarTypeOptional(ScalarType.Float));
    }

    /// Cross-entropy of the student with the next tokens, summed, in nats.
    public double crossEntropy() {
        return -logQ(1).gather(1, targetsC1).sum().item_double();
    }

    /// Cross-entropy of the teacher with the next tokens, summed; 0 without a teacher.
    public double teacherCrossEntropy() {
        return hasTeacher() ? -logP(1).gather(1, targetsC1).sum().item_double() : 0;
    }

    /// Kullback-Leibler divergence of p from q, summed; 0 without a teacher.
    public double divergence(double temperature) {
        if (!hasTeacher()) {
            return 0;
        }
        Tensor logPs = logP(temperature);
        return logPs.sub(logQ(temperature)).mul_(logPs.exp()).sum().item_double();
    }
}
