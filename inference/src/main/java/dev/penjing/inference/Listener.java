package dev.penjing.inference;

import java.util.Optional;

/// Is told of an answer as it comes, on the engine's own thread: it must not take long.
public interface Listener {
    /// It waits no longer: its prompt is being read.
    default void admitted() {}

    /// @param id the token
    /// @param text that has become certain with it; may be empty
    void token(int id, String text, Optional<LogProbabilities> logProbabilities);

    /// The last call.
    ///
    /// @param rest text that was held back until now
    void finished(Finish finish, String rest);
}
