package dev.penjing.inference.api;

import dev.penjing.model.PenjingException;
import java.util.Optional;

/// How an answer ended, and what it took.
///
/// @param cachedTokens of the prompt, whose keys and values were in the prefix cache already
/// @param queueSeconds waiting to be admitted
/// @param prefillSeconds from then to the first token
/// @param decodeSeconds from then to the last
/// @param proposedTokens that a draft proposed and the model looked at; 0 without a draft
/// @param acceptedTokens of these, the ones behind which the answer went on: so many passes of the
///   model were saved
/// @param cause what was thrown, if the answer failed
public record Finish(
        Reason reason,
        int promptTokens,
        int cachedTokens,
        int newTokens,
        double queueSeconds,
        double prefillSeconds,
        double decodeSeconds,
        int proposedTokens,
        int acceptedTokens,
        Optional<Throwable> cause) {
    /// Why an answer ended.
    public enum Reason {
        /// The model ended it, or a stop text or token.
        STOP,
        /// As many tokens as were asked for, or as fit into the context.
        LENGTH,
        /// Its caller did not want more of it: it cancelled, or its listener threw
        /// [StopGeneration].
        CANCELLED,
        /// No token of the vocabulary goes on as the request's constraint asks: what there is, is
        /// the beginning of a value.
        DEAD_END,
        /// Something was thrown while it was made, or the engine closed: what there is, is no
        /// answer.
        FAILED
    }

    /// One without a cause.
    public Finish(
            Reason reason,
            int promptTokens,
            int cachedTokens,
            int newTokens,
            double queueSeconds,
            double prefillSeconds,
            double decodeSeconds,
            int proposedTokens,
            int acceptedTokens) {
        this(
                reason,
                promptTokens,
                cachedTokens,
                newTokens,
                queueSeconds,
                prefillSeconds,
                decodeSeconds,
                proposedTokens,
                acceptedTokens,
                Optional.empty());
    }

    /// What to throw for an answer that came to no good end: says the reason, and the cause if
    /// there is one.
    public PenjingException failure() {
        String what = "the answer ended as " + reason;
        return cause.map(thrown -> new PenjingException(what + ": " + message(thrown), thrown))
                .orElseGet(() -> new PenjingException(what));
    }

    private static String message(Throwable thrown) {
        return thrown instanceof PenjingException known
                ? String.valueOf(known.getMessage())
                : thrown.toString();
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
