package dev.penjing.evaluation;

import dev.penjing.model.PenjingException;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.tokenizer.SpecialTokens;
import dev.penjing.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A model to be measured, and what must be known of it beside.
///
/// @param content a hash of the model's files
/// @param arithmetic what computes it
/// @param begins whether texts begin with `bos`
/// @param bos the special token for the beginning of a text, if there is one
/// @param eos the one for its end
/// @param ends ids that end an answer
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
    private static final JsonMapper JSON = JsonMapper.builder().build();

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
        SpecialTokens special = SpecialTokens.of(directory);
        Optional<ChatTemplate> template =
                style.chatTemplate() ? ChatTemplate.of(directory) : Optional.empty();
        if (style.chatTemplate() && template.isEmpty()) {
            throw withoutTemplate(directory);
        }
        return new Subject(
                model,
                content,
                arithmetic,
                style.begins().orElseGet(special::beginsTexts),
                present(special.text("bos")),
                present(special.text("eos")),
                ends(directory, special, model.tokenizer()),
                style.prompts(messages ->
                        template.orElseThrow().render(variables(messages, special))));
    }

    /// The error of a style that needs a chat template for a model without one.
    public static PenjingException withoutTemplate(Path model) {
        return new PenjingException(model + " has no chat template: leave `chatTemplate` out");
    }

    /// A special token's text, if it has one.
    public static Optional<String> present(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    private static Map<String, Object> variables(
            List<Prompts.Message> messages, SpecialTokens special) {
        Map<String, Object> variables = new HashMap<>();
        for (String name : List.of("bos", "eos", "pad", "unk")) {
            variables.put(name + "_token", special.text(name));
        }
        variables.put("messages", Prompts.Message.maps(messages));
        variables.put("add_generation_prompt", true);
        return variables;
    }

    private static Set<Integer> ends(Path directory, SpecialTokens special, Tokenizer tokenizer) {
        Set<Integer> ends = new HashSet<>();
        tokenizer.id(special.text("eos")).ifPresent(ends::add);
        for (String name : List.of("generation_config.json", "config.json")) {
            Path file = directory.resolve(name);
            try {
                JsonNode ids =
                        Files.isRegularFile(file)
                                ? JSON.readTree(Files.readString(file)).path("eos_token_id")
                                : JSON.missingNode();
                if (ids.isIntegralNumber()) {
                    ends.add(ids.asInt());
                }
                ids.forEach(id -> ends.add(id.asInt(-1)));
            } catch (IOException | JacksonException e) {
                throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
        return ends;
    }
}
