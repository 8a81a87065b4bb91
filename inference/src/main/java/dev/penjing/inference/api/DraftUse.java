package dev.penjing.inference.api;

/// When the draft model of speculative decoding proposes tokens.
public enum DraftUse {
    NEVER,
    /// As long as answers come faster with it, by the clock.
    WORTHWHILE,
    ALWAYS
}
