package dev.penjing.inference;

/// How an answer ended, and what it took.
///
/// @param cachedTokens of the prompt, whose keys and values were there already
/// @param queueSeconds waiting to be admitted
/// @param prefillSeconds from then to the first token
/// @param decodeSeconds from then to the last
/// @param proposedTokens that a draft proposed and the model looked at; 0 without a draft
/// @param acceptedTokens of these, the ones behind which the answer went on: so many passes of the
///   model were saved
public record Finish(
        Reason reason,
        int promptTokens,
        int cachedTokens,
        int newTokens,
        double queueSeconds,
        double prefillSeconds,
        double decodeSeconds,
        int proposedTokens,
        int acceptedTokens) {
    public enum Reason {
        /// The model ended it, or a stop text or token.
        STOP,
        /// As many tokens as were asked for, or as fit into the context.
        LENGTH,
        CANCELLED,
        /// No token of the vocabulary goes on as the request's constraint asks: what there is, is
        /// the beginning of a value.
        DEAD_END,
        /// The engine closed, or failed.
        FAILED
    }

    /// The share of a draft's proposals that were accepted; 0 if there were none.
    public double acceptance() {
        return proposedTokens > 0 ? (double) acceptedTokens / proposedTokens : 0;
    }

    /// New tokens a second, the first left out.
    public double tokensPerSecond() {
        return decodeSeconds > 0 ? (newTokens - 1) / decodeSeconds : 0;
    }
}
