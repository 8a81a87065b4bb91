package dev.penjing.compression.repair;

import dev.penjing.compression.layerwise.ActivationSums;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.model.architecture.Role;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// Refits one matrix: sums over the calibration text, and the ridge that is best on the part of it
/// that is held out. Owns native memory until closed.
final class Refitter implements AutoCloseable {
    private final ActivationSums fit;
    private final ActivationSums judge;

    /// @param inputs that the matrix reads, of which some may go
    Refitter(long inputs, long outputs) {
        this.fit = new ActivationSums(inputs, outputs);
        this.judge = new ActivationSums(inputs, outputs);
    }

    /// @param inputs of a batch, `[N, F]`
    /// @param targets of a batch, `[N, D]`; empty where they are what `weight` makes of the inputs
    /// @param weight float64 `[D, F]`
    void sum(
            Calibration calibration,
            Function<Calibration.Batch, Tensor> inputs,
            Optional<Function<Calibration.Batch, Tensor>> targets,
            Tensor weight) {
        for (Calibration.Batch batch : calibration.batches()) {
            try (PointerScope scope = new PointerScope()) {
                (batch.heldOut() ? judge : fit)
                        .add(inputs.apply(batch), targets.map(t -> t.apply(batch)));
            }
        }
        for (ActivationSums sums : List.of(fit, judge)) {
            sums.finish();
            if (targets.isEmpty()) {
                sums.targetsOf(weight);
            }
        }
    }

    /// The sum of `x x^T` over what is not held out, `[F, F]`.
    Tensor gram() {
        return fit.gram();
    }

    /// @param weight `[D, K]`, float64: the refitted matrix
    record Solution(Refit refit, Tensor weight) {}

    /// @param layer of the student's, for the record
    /// @param slicedDK what the matrix is without a refit, float64
    /// @param columns of the inputs that are left, int64
    Solution solve(int layer, Role role, Tensor slicedDK, Tensor columns, List<Double> ridges) {
        Tensor gram = fit.gram().index_select(0, columns).index_select(1, columns);
        Tensor cross = fit.cross().index_select(1, columns);
        double slicedError = judge.error(slicedDK, columns);
        Solution best = new Solution(new Refit(layer, role, slicedError, slicedError, 0), slicedDK);
        double least = Double.POSITIVE_INFINITY;
        for (double ridge : ridges) {
            Optional<Tensor> solved = LeastSquares.solve(gram, cross, slicedDK, ridge);
            if (solved.isEmpty()) {
                continue;
            }
            double error = judge.error(solved.get(), columns);
            if (error < least) {
                least = error;
                best =
                        new Solution(
                                new Refit(layer, role, slicedError, error, ridge), solved.get());
            }
        }
        return best;
    }

    @Override
    public void close() {
        fit.close();
        judge.close();
    }
}
