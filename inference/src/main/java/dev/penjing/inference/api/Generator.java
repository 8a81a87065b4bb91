package dev.penjing.inference.api;

import dev.penjing.model.PenjingException;

/// What makes answers: an engine, as far as those see it that only ask.
public interface Generator {
    /// Starts a request.
    ///
    /// @throws PenjingException if the prompt does not fit into the context, or holds an id outside
    ///   of the vocabulary
    Generation submit(Request request, Listener listener);

    /// The most tokens that one sequence may have, prompt and answer.
    int contextLength();

    /// Tokens of the model; ids are below it.
    int vocabularySize();

    /// Whether it has a draft model (speculative decoding).
    boolean hasDraft();

    /// When the draft proposes tokens, from the next step on; does nothing without a draft.
    void draft(DraftUse use);
}
