package dev.penjing.evaluation;

import dev.penjing.model.PenjingException;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.text.TextConventions;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A model to be measured, and what must be known of it beside.
///
/// @param content a hash of the model's files
/// @param arithmetic what computes it
/// @param begins whether texts begin with `bos`
/// @param bos the special token for the beginning of a text, if there is one
/// @param eos the one for its end
/// @param ends ids that end an answer: those that its files declare, as transformers takes them
/// @param prompts how prompts are put together for it
public record Subject(
        LanguageModel model,
        String content,
        Arithmetic arithmetic,
        boolean begins,
        Optional<String> bos,
        Optional<String> eos,
        Set<Integer> ends,
        Prompts prompts) {
    /// What its results are kept under: the content of the model and the arithmetic.
    public String key() {
        return Fingerprint.of("results of a model", 1)
                .with("model", content)
                .with("arithmetic", arithmetic.key())
                .sha256()
                .substring(0, 32);
    }

    /// A model of which the rest is known from its folder in Hugging Face form.
    ///
    /// @throws PenjingException if the style asks for a chat template and there is none, or a file
    ///   cannot be read
    public static Subject ofFolder(
            LanguageModel model,
            String content,
            Arithmetic arithmetic,
            Path directory,
            PromptStyle style) {
        TextConventions conventions = TextConventions.ofFolder(directory, model.tokenizer());
        Optional<ChatTemplate> template =
                style.chatTemplate() ? conventions.chatTemplate() : Optional.empty();
        if (style.chatTemplate() && template.isEmpty()) {
            throw withoutTemplate(directory);
        }
        return new Subject(
                model,
                content,
                arithmetic,
                style.begins().orElseGet(conventions::addsBos),
                conventions.text(SpecialToken.BOS),
                conventions.text(SpecialToken.EOS),
                conventions.declaredEnds(),
                style.prompts(messages ->
                        template.orElseThrow().render(variables(messages, conventions))));
    }

    /// The error of a style that needs a chat template for a model without one.
    public static PenjingException withoutTemplate(Path model) {
        return new PenjingException(model + " has no chat template: leave `chatTemplate` out");
    }

    private static Map<String, Object> variables(
            List<Prompts.Message> messages, TextConventions conventions) {
        Map<String, Object> variables = new HashMap<>(conventions.templateVariables());
        variables.put("messages", Prompts.Message.maps(messages));
        variables.put("add_generation_prompt", true);
        return variables;
    }
}
