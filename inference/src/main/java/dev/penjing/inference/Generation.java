package dev.penjing.inference;

/// An answer that is being made.
public interface Generation {
    /// Ends it within a token. Harmless if it has ended.
    void cancel();

    /// Waits until it has ended.
    Finish awaitEnd();
}
