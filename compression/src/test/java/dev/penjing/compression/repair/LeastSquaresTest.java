package dev.penjing.compression.repair;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.layerwise.ActivationSums;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LeastSquaresTest {
    private static final int INPUTS = 12;
    private static final int TOKENS = 300;

    @BeforeEach
    void seed() {
        Compute.float32();
        torch.manual_seed(3);
    }

    private static Tensor random(long... shape) {
        return torch.randn(shape, new TensorOptions(ScalarType.Float));
    }

    /// Inputs that depend on one another, some louder by far.
    private static Tensor inputs() {
        Tensor mixed = torch.matmul(random(TOKENS, INPUTS), random(INPUTS, INPUTS));
        mixed.narrow(1, 3, 1).mul_(new Scalar(300.0));
        return mixed;
    }

    private static double squares(Tensor t) {
        return t.to(ScalarType.Double).square().sum().item_double();
    }

    /// No small change of the solution makes the error less, and the sums say the same of it as the
    /// tokens do.
    @Test
    void isTheMinimum() {
        try (PointerScope scope = new PointerScope();
                ActivationSums sums = new ActivationSums(INPUTS, 5)) {
            Tensor x = inputs();
            Tensor w = random(5, INPUTS);
            sums.add(x, Optional.empty());
            sums.finish();
            sums.targetsOf(w.to(ScalarType.Double));
            int[] kept = IntStream.range(0, 8).toArray();
            Tensor columns = LeastSquares.indices(kept);
            Tensor xK = x.index_select(1, columns);
            Tensor solved =
                    LeastSquares.solve(
                                    sums.gram().index_select(0, columns).index_select(1, columns),
                                    sums.cross().index_select(1, columns),
                                    w.index_select(1, columns).to(ScalarType.Double),
                                    1e-12)
                            .orElseThrow();
            Tensor y = torch.matmul(x, w.t());
            double best = error(xK, solved, y);
            assertThat(sums.error(solved, columns) * squares(y)).isCloseTo(best, within(best));
            for (int i = 0; i < 20; i++) {
                Tensor other = solved.add(random(5, 8).mul_(new Scalar(1e-3)));
                assertThat(error(xK, other, y)).isGreaterThan(best);
            }
        }
    }

    private static org.assertj.core.data.Offset<Double> within(double value) {
        return org.assertj.core.data.Offset.offset(Math.abs(value) * 1e-3);
    }

    private static double error(Tensor x, Tensor w, Tensor y) {
        return squares(torch.matmul(x.to(ScalarType.Double), w.t()).sub(y.to(ScalarType.Double)));
    }

    @Test
    void aRidgeWithoutEndLeavesTheSlicedMatrix() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = inputs().to(ScalarType.Double);
            Tensor gram = torch.matmul(x.t(), x);
            Tensor sliced = random(4, INPUTS).to(ScalarType.Double);
            Tensor solved =
                    LeastSquares.solve(gram, random(4, INPUTS).to(ScalarType.Double), sliced, 1e12)
                            .orElseThrow();
            assertThat(squares(solved.sub(sliced))).isLessThan(1e-12);
        }
    }

    /// The identity of the optimal brain surgeon: what it says that a removal costs is what the
    /// error grows by when all else is refitted. So the first to go is the one that a search by
    /// refits finds.
    @Test
    void theSurgeonsFirstIsTheCheapest() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = inputs();
            Tensor w = random(5, INPUTS);
            try (ActivationSums sums = new ActivationSums(INPUTS, 5)) {
                sums.add(x, Optional.empty());
                sums.finish();
                sums.targetsOf(w.to(ScalarType.Double));
                double[] errors = new double[INPUTS];
                for (int gone = 0; gone < INPUTS; gone++) {
                    int out = gone;
                    int[] kept = IntStream.range(0, INPUTS).filter(i -> i != out).toArray();
                    Tensor columns = LeastSquares.indices(kept);
                    Tensor solved =
                            LeastSquares.solve(
                                            sums.gram()
                                                    .index_select(0, columns)
                                                    .index_select(1, columns),
                                            sums.cross().index_select(1, columns),
                                            w.index_select(1, columns).to(ScalarType.Double),
                                            1e-9)
                                    .orElseThrow();
                    errors[gone] = sums.error(solved, columns);
                }
                double least = Arrays.stream(errors).min().orElseThrow();
                int[] kept =
                        BrainSurgeon.keep(sums.gram(), w.to(ScalarType.Double), 1, 1, INPUTS - 1);
                int gone =
                        IntStream.range(0, INPUTS)
                                .filter(i -> Arrays.stream(kept).noneMatch(k -> k == i))
                                .findFirst()
                                .orElseThrow();
                assertThat(errors[gone]).isLessThanOrEqualTo(least * 1.1 + 1e-9);
            }
        }
    }

    @Test
    void everyGroupKeepsAsMany() {
        try (PointerScope scope = new PointerScope()) {
            Tensor x = random(TOKENS, 24).to(ScalarType.Double);
            Tensor w = random(5, 24).to(ScalarType.Double);
            int[] kept = BrainSurgeon.keep(torch.matmul(x.t(), x), w, 4, 2, 4);
            assertThat(kept).hasSize(4).isSorted();
            assertThat(Arrays.stream(kept).filter(i -> i < 3).count()).isEqualTo(2);
            assertThat(Tensors.floats(w)).hasSize(120);
        }
    }
}
