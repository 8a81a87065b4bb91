package dev.penjing.inference.api;

/// Thrown by a [Listener] to end its own answer, without another token. The answer then ends as
/// [Finish.Reason#CANCELLED]; whatever else a listener throws makes it [Finish.Reason#FAILED].
public final class StopGeneration extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param why in a few words
    public StopGeneration(String why) {
        super(why, null, false, false);
    }
}
