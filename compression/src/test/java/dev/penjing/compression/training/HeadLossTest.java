package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The loss and the gradient that are written down are those of autograd on the plain formulas.
class HeadLossTest {
    private static final int D = 12;

    private final Random random = new Random(5);

    private Tensor draw(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return TinyModels.tensor(values, rows, columns);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isWhatAutogradSays(boolean distil) {
        int n = 37;
        int v = 50;
        Compute.float32();
        try (PointerScope scope = new PointerScope()) {
            Tensor hidden = draw(n, D).set_requires_grad(true);
            Tensor head = draw(v, D).set_requires_grad(true);
            Tensor teacherHidden = draw(n, D + 3);
            Tensor teacherHead = draw(v, D + 3);
            int[] ids = random.ints(n, 0, v).toArray();
            Tensor targets = Tensors.ids(ids, 1, n).view(-1);

            Tensor logQ = torch.matmul(hidden, head.t()).log_softmax(-1);
            Tensor logP = torch.matmul(teacherHidden, teacherHead.t()).log_softmax(-1);
            Tensor divergence = logP.exp().mul(logP.sub(logQ)).sum();
            Tensor crossEntropy = logQ.gather(1, targets.view(-1, 1)).sum().neg();
            double scale = 0.25;
            (distil ? divergence : crossEntropy).mul(new Scalar(scale)).backward();

            Tensor hiddenGradient = Tensors.empty(new TensorOptions(ScalarType.Float), n, D);
            Tensor headGradient = Tensors.zeros(new TensorOptions(ScalarType.Float), v, D);
            HeadLoss.Sums sums =
                    HeadLoss.run(
                            hidden.detach(),
                            head.detach(),
                            targets,
                            distil
                                    ? Optional.of(new HeadLoss.Teacher(teacherHidden, teacherHead))
                                    : Optional.empty(),
                            Optional.of(new HeadLoss.Gradient(hiddenGradient, headGradient, scale)),
                            16);

            assertThat(sums.tokens()).isEqualTo(n);
            assertThat(sums.crossEntropy()).isCloseTo(crossEntropy.item_double(), within(1e-3));
            if (distil) {
                assertThat(sums.divergence()).isCloseTo(divergence.item_double(), within(1e-3));
            }
            assertThat(Tensors.floats(hiddenGradient))
                    .containsExactly(Tensors.floats(hidden.grad()), within(1e-5f));
            assertThat(Tensors.floats(headGradient))
                    .containsExactly(Tensors.floats(head.grad()), within(1e-5f));
        }
    }

    /// In one go and by libtorch's operations, for any width and for threads that share the rows.
    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 50, 1024, 1100, 3000})
    void bothWaysAgree(int v) {
        Compute.float32();
        int n = 1 + random.nextInt(40);
        Tensor targets = Tensors.ids(random.ints(n, 0, v).toArray(), 1, n).view(-1);
        for (ScalarType type : List.of(ScalarType.Float, ScalarType.BFloat16)) {
            Optional<Tensor> taught =
                    random.nextBoolean() || v == 50
                            ? Optional.of(draw(n, v).mul_(new Scalar(5)).to(type))
                            : Optional.empty();
            Tensor logits = draw(n, v).mul_(new Scalar(5)).to(type);
            Tensor expected = logits.clone();
            HeadLoss.Sums sums = HeadLoss.compare(expected, taught, targets, true);

            assertThat(FusedComparison.canDo(logits, taught)).isTrue();
            Tensor untouched = logits.clone();
            assertThat(FusedComparison.compare(untouched, taught, targets, false))
                    .isEqualTo(FusedComparison.compare(logits, taught, targets, true));
            assertThat(Tensors.floats(untouched)).isNotEqualTo(Tensors.floats(logits));
            HeadLoss.Sums fused = FusedComparison.compare(untouched, taught, targets, true);
            double rounding = 1e-5 * n;
            assertThat(fused.tokens()).isEqualTo(n);
            assertThat(fused.crossEntropy()).isCloseTo(sums.crossEntropy(), within(rounding));
            assertThat(fused.divergence()).isCloseTo(sums.divergence(), within(rounding));
            assertThat(fused.teacherCrossEntropy())
                    .isCloseTo(sums.teacherCrossEntropy(), within(rounding));
            float unit = type == ScalarType.Float ? 1e-6f : 4e-3f; // bfloat16's last bit, below 1
            assertThat(Tensors.floats(logits))
                    .containsExactly(Tensors.floats(expected), within(unit));
            assertThat(Tensors.floats(untouched)).isEqualTo(Tensors.floats(logits));
        }
    }

    /// A weight that is no number is not lost among the others.
    @Test
    void notANumberStaysOne() {
        Tensor logits = draw(3, 70);
        logits.narrow(0, 1, 1).narrow(1, 66, 1).fill_(new Scalar(Float.NaN));
        Tensor targets = Tensors.ids(new int[] {0, 1, 2}, 1, 3).view(-1);
        HeadLoss.Sums sums =
                FusedComparison.compare(logits, Optional.of(draw(3, 70)), targets, true);
        assertThat(sums.divergence()).isNaN();
        assertThat(sums.crossEntropy()).isNaN();
    }
}
