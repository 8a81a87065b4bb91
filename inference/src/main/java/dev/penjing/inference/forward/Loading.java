package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.Team;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// How a model's weights are loaded, and by whom.
///
/// @param format of the weights; empty for each tensor's own, or the finest
/// @param cancelled is asked again and again; once it is true, loading ends
public record Loading(
        Kernels kernels,
        Team team,
        Optional<WeightFormat> format,
        Progress progress,
        BooleanSupplier cancelled) {
    /// @throws PenjingException if loading was cancelled
    void check() {
        check(cancelled);
    }

    static void check(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) {
            throw new PenjingException("loading was cancelled");
        }
    }
}
