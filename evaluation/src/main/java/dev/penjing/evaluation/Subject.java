package dev.penjing.evaluation;

import dev.penjing.model.language.LanguageModel;
import java.util.Optional;
import java.util.Set;

/// A model to be measured, and what must be known of it beside.
///
/// @param key names the weights and the arithmetic: results are kept under it
/// @param begins whether texts begin with `bos`
/// @param bos the special token for the beginning of a text, if there is one
/// @param eos the one for its end
/// @param ends ids that end an answer
/// @param prompts how prompts are put together for it
public record Subject(
        LanguageModel model,
        String key,
        boolean begins,
        Optional<String> bos,
        Optional<String> eos,
        Set<Integer> ends,
        Prompts prompts) {}
