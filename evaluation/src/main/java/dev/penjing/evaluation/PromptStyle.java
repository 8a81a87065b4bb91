package dev.penjing.evaluation;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// How prompts are put together for a model.
///
/// @param begins whether texts begin with the BOS token; without it as the model's tokenizer has it
/// @param chatTemplate whether items are asked in the form of the model's chat template
/// @param separateTurns whether shots are turns of their own then, rather than all in one message
public record PromptStyle(Optional<Boolean> begins, boolean chatTemplate, boolean separateTurns) {
    /// As lm-evaluation-harness has it unless told otherwise.
    public static final PromptStyle USUAL = new PromptStyle(Optional.empty(), false, true);

    /// @param conversation renders messages by the model's chat template
    public Prompts prompts(Function<List<Prompts.Message>, String> conversation) {
        return chatTemplate ? new Prompts(Optional.of(conversation), separateTurns) : Prompts.PLAIN;
    }
}
