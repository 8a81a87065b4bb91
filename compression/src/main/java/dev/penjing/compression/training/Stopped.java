package dev.penjing.compression.training;

import dev.penjing.model.PenjingException;

/// A training was told to stop before its last step, and left a checkpoint to go on from.
public final class Stopped extends PenjingException {
    private static final long serialVersionUID = 1L;

    Stopped(long step, long steps) {
        super(
                "stopped after step %d of %d, as it was told to: go on from there with `resume`"
                        .formatted(step, steps));
    }
}
