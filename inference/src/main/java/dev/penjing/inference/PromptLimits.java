package dev.penjing.inference;

import dev.penjing.model.PenjingException;

/// What ids an engine can take.
///
/// @param context tokens of a sequence, prompt and answer, at most
/// @param vocabulary ids are below it
record PromptLimits(int context, int vocabulary) {
    /// @throws PenjingException if a prompt leaves no room for an answer, or holds an id outside of
    ///   the vocabulary
    void check(int[] prompt) {
        if (prompt.length >= context) {
            throw new PenjingException(
                    "%d tokens leave no room in the context of %d: give less text"
                            .formatted(prompt.length, context));
        }
        checkIds(prompt);
    }

    /// A text to score may be one longer than the context: its last id is no input.
    ///
    /// @throws PenjingException if it is longer, empty, or holds an id outside of the vocabulary
    void checkScored(int[] ids) {
        if (ids.length == 0 || ids.length > context + 1) {
            throw new PenjingException(
                    "a text of %d tokens cannot be scored: give 1 to %d, the context and one to predict"
                            .formatted(ids.length, context + 1));
        }
        checkIds(ids);
    }

    private void checkIds(int[] ids) {
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new PenjingException(
                        "token id %d is outside the vocabulary of %d".formatted(id, vocabulary));
            }
        }
    }
}
