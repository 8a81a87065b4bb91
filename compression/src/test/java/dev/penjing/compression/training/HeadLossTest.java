package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.CrossEntropyLossOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.bytedeco.pytorch.kSum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Losses and gradients that are written down are those of libtorch's own losses and autograd.
class HeadLossTest {
    private static final int D = 12;

    /// libtorch's `Reduction::Sum`.
    private static final long SUM = 2;

    private final Random random = new Random(5);

    private Tensor draw(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return TinyModels.tensor(values, rows, columns);
    }

    private Tensor tokens(int count, int vocabulary) {
        return Tensors.ids(random.ints(count, 0, vocabulary).toArray(), 1, count).view(-1);
    }

    private static Tensor klDivergence(Tensor studentNV, Tensor teacherNV, double temperature) {
        Scalar t = new Scalar(temperature);
        return torch.kl_div(
                        studentNV.div(t).log_softmax(-1),
                        teacherNV.div(t).log_softmax(-1),
                        SUM,
                        true)
                .mul(new Scalar(temperature * temperature));
    }

    private static Tensor crossEntropy(Tensor studentNV, Tensor targets) {
        CrossEntropyLossOptions options = new CrossEntropyLossOptions();
        options.reduction().put(new kSum());
        return torch.cross_entropy(studentNV, targets, options);
    }

    /// @param temperature of the divergence
    @ParameterizedTest
    @CsvSource({
        "kl, 1, 0, 1",
        "ce, 0, 1, 1",
        "kl@2.5, 1, 0, 2.5",
        "kl@0.5, 1, 0, 0.5",
        "0.7*kl+0.3*ce, 0.7, 0.3, 1",
        "0.25*kl@3.0+2.0*ce, 0.25, 2, 3",
        "0.5*ce+0.5*ce, 0, 1, 1",
    })
    void isWhatAutogradSays(String key, double divergence, double entropy, double temperature) {
        Objective objective = Objectives.parse(key);
        assertThat(objective.key()).isEqualTo(key);
        int n = 37;
        int v = 50;
        Compute.float32();
        try (PointerScope scope = new PointerScope();
                HeadLoss loss = new HeadLoss(objective, 3)) {
            Tensor hidden = draw(n, D).set_requires_grad(true);
            Tensor head = draw(v, D).set_requires_grad(true);
            Tensor teacherHidden = draw(n, D + 3);
            Tensor teacherHead = draw(v, D + 3);
            Tensor targets = tokens(n, v);

            Tensor logits = torch.matmul(hidden, head.t());
            Tensor taught = torch.matmul(teacherHidden, teacherHead.t());
            Tensor expectedEntropy = crossEntropy(logits, targets);
            Tensor expected =
                    klDivergence(logits, taught, temperature)
                            .mul(new Scalar(divergence))
                            .add(expectedEntropy.mul(new Scalar(entropy)));
            double scale = 0.25;
            expected.mul(new Scalar(scale)).backward();

            Tensor hiddenGradient = Tensors.empty(new TensorOptions(ScalarType.Float), n, D);
            Tensor headGradient = Tensors.zeros(new TensorOptions(ScalarType.Float), v, D);
            HeadLoss.Sums sums =
                    loss.run(
                            hidden.detach(),
                            head.detach(),
                            targets,
                            objective.needsTeacher()
                                    ? Optional.of(new HeadLoss.Teacher(teacherHidden, teacherHead))
                                    : Optional.empty(),
                            Optional.of(new HeadLoss.Gradient(hiddenGradient, headGradient, scale)),
                            16);

            assertThat(sums.tokens()).isEqualTo(n);
            assertThat(sums.loss()).isCloseTo(expected.item_double(), within(1e-3));
            assertThat(sums.crossEntropy()).isCloseTo(expectedEntropy.item_double(), within(1e-3));
            assertThat(sums.divergence())
                    .isCloseTo(
                            objective.needsTeacher()
                                    ? klDivergence(logits, taught, 1).item_double()
                                    : 0,
                            within(1e-3));
            assertThat(Tensors.floats(hiddenGradient))
                    .containsExactly(Tensors.floats(hidden.grad()), within(2e-5f));
            assertThat(Tensors.floats(headGradient))
                    .containsExactly(Tensors.floats(head.grad()), within(2e-5f));
        }
    }

    /// In one pass and by libtorch's operations, for any width and for threads that share the rows.
    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 50, 1024, 1100, 3000})
    void bothWaysAgree(int v) {
        assumeTrue(HeadLoss.VECTORS);
        Compute.float32();
        int n = 1 + random.nextInt(40);
        Tensor targets = tokens(n, v);
        try (RowThreads threads = new RowThreads(3)) {
            for (ScalarType type : List.of(ScalarType.Float, ScalarType.BFloat16)) {
                for (String key : List.of("kl", "ce", "0.75*kl+0.25*ce")) {
                    Objective objective = Objectives.parse(key);
                    Optional<Tensor> taught =
                            objective.needsTeacher()
                                    ? Optional.of(draw(n, v).mul_(new Scalar(5)).to(type))
                                    : Optional.empty();
                    Tensor logits = draw(n, v).mul_(new Scalar(5)).to(type);
                    bothWaysAgree(objective, logits, taught, targets, threads);
                }
            }
        }
    }

    private static void bothWaysAgree(
            Objective objective,
            Tensor logits,
            Optional<Tensor> taught,
            Tensor targets,
            RowThreads threads) {
        Objective.FusedTerms terms = objective.fused().orElseThrow();
        Tensor expected = logits.clone();
        HeadLoss.Sums sums = HeadLoss.compare(objective, expected, taught, targets, true);

        assertThat(HeadLoss.canFuse(logits, taught)).isTrue();
        Tensor untouched = logits.clone();
        HeadLoss.Sums fused =
                FusedComparison.compare(untouched, taught, targets, terms, false, threads);
        assertThat(Tensors.floats(untouched)).isEqualTo(Tensors.floats(logits));
        assertThat(FusedComparison.compare(logits, taught, targets, terms, true, threads))
                .isEqualTo(fused);
        long n = logits.size(0);
        double rounding = 1e-5 * n;
        assertThat(fused.tokens()).isEqualTo(n);
        assertThat(fused.loss()).isCloseTo(sums.loss(), within(rounding));
        assertThat(fused.crossEntropy()).isCloseTo(sums.crossEntropy(), within(rounding));
        assertThat(fused.divergence()).isCloseTo(sums.divergence(), within(rounding));
        assertThat(fused.teacherCrossEntropy())
                .isCloseTo(sums.teacherCrossEntropy(), within(rounding));
        boolean wide = logits.scalar_type().intern() == ScalarType.Float;
        float unit = wide ? 1e-6f : 4e-3f; // bfloat16's last bit, below 1
        assertThat(Tensors.floats(logits)).containsExactly(Tensors.floats(expected), within(unit));
    }

    /// A weight that is no number is not lost among the others.
    @Test
    void notANumberStaysOne() {
        assumeTrue(HeadLoss.VECTORS);
        Tensor logits = draw(3, 70);
        logits.narrow(0, 1, 1).narrow(1, 66, 1).fill_(new Scalar(Float.NaN));
        Tensor targets = Tensors.ids(new int[] {0, 1, 2}, 1, 3).view(-1);
        try (RowThreads threads = new RowThreads(2)) {
            HeadLoss.Sums sums =
                    FusedComparison.compare(
                            logits,
                            Optional.of(draw(3, 70)),
                            targets,
                            new Objective.FusedTerms(1, 0),
                            true,
                            threads);
            assertThat(sums.loss()).isNaN();
            assertThat(sums.divergence()).isNaN();
            assertThat(sums.crossEntropy()).isNaN();
        }
    }

    /// A token beyond the vocabulary is refused, on whichever thread its row is.
    @Test
    void aTargetBeyondTheVocabularyIsAnError() {
        assumeTrue(HeadLoss.VECTORS);
        int[] ids = new int[40];
        ids[39] = 70;
        Tensor targets = Tensors.ids(ids, 1, 40).view(-1);
        Tensor logits = draw(40, 70);
        try (RowThreads threads = new RowThreads(4)) {
            assertThatThrownBy(() ->
                            FusedComparison.compare(
                                    logits,
                                    Optional.empty(),
                                    targets,
                                    new Objective.FusedTerms(0, 1),
                                    true,
                                    threads))
                    .hasRootCauseInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
