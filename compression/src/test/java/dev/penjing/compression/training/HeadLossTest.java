package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The loss and the gradient that are written down are those of autograd on the plain formulas.
class HeadLossTest {
    private static final int N = 37;
    private static final int D = 12;
    private static final int V = 50;

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
        Compute.float32();
        try (PointerScope scope = new PointerScope()) {
            Tensor hidden = draw(N, D).set_requires_grad(true);
            Tensor head = draw(V, D).set_requires_grad(true);
            Tensor teacherHidden = draw(N, D + 3);
            Tensor teacherHead = draw(V, D + 3);
            int[] ids = random.ints(N, 0, V).toArray();
            Tensor targets = Tensors.ids(ids, 1, N).view(-1);

            Tensor logQ = torch.matmul(hidden, head.t()).log_softmax(-1);
            Tensor logP = torch.matmul(teacherHidden, teacherHead.t()).log_softmax(-1);
            Tensor divergence = logP.exp().mul(logP.sub(logQ)).sum();
            Tensor crossEntropy = logQ.gather(1, targets.view(-1, 1)).sum().neg();
            double scale = 0.25;
            (distil ? divergence : crossEntropy)
                    .mul(new org.bytedeco.pytorch.Scalar(scale))
                    .backward();

            Tensor hiddenGradient = Tensors.empty(new TensorOptions(ScalarType.Float), N, D);
            Tensor headGradient = Tensors.zeros(new TensorOptions(ScalarType.Float), V, D);
            HeadLoss.Sums sums =
                    HeadLoss.run(
                            hidden.detach(),
                            head.detach(),
                            targets,
                            distil
                                    ? Optional.of(new HeadLoss.Teacher(teacherHidden, teacherHead))
                                    : Optional.empty(),
                            Optional.of(
                                    new HeadLoss.Gradient(hiddenGradient, headGradient, scale)));

            assertThat(sums.tokens()).isEqualTo(N);
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
}
