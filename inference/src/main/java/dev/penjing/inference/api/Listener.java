package dev.penjing.inference.api;

import java.util.Optional;

/// Is told of an answer as it comes, on the engine's own thread: it must not take long. It may
/// throw [StopGeneration] to end its answer; anything else that it throws makes the answer fail,
/// and no other.
public interface Listener {
    /// Waits no longer: its prompt is being read (prefill).
    default void admitted() {}

    /// @param id the token
    /// @param text that has become certain with it; may be empty
    /// @param logProbabilities if the request asks for them
    void token(int id, String text, Optional<LogProbabilities> logProbabilities);

    /// The last call. What it throws is logged, and changes nothing.
    ///
    /// @param rest text that was held back until now
    void finished(Finish finish, String rest);
}
