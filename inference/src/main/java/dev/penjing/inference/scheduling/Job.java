package dev.penjing.inference.scheduling;

import dev.penjing.inference.cache.BlockManager;
import dev.penjing.inference.forward.ForwardPass;

/// Work on the model between two steps: a pass of its own at most, or the running answers wait too
/// long. A job that is not done submits itself again.
public interface Job {
    /// @param room whether it may take blocks: requests that wait for some come first
    void run(ForwardPass pass, BlockManager manager, boolean room);

    /// Called instead if the engine closes or fails before.
    void fail(Throwable cause);
}
