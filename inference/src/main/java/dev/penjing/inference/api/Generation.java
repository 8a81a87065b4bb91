package dev.penjing.inference.api;

/// A request that is being answered.
public interface Generation {
    /// Ends it within a token. Harmless if it has ended.
    void cancel();

    /// Waits until it has ended.
    Finish awaitEnd();
}
