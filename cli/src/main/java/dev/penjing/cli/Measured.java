package dev.penjing.cli;

import dev.penjing.compression.decoder.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.evaluation.Prompts;
import dev.penjing.evaluation.Subject;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.text.SpecialToken;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// A model opened to be measured.
///
/// @param arithmetic what computes, and in which types
record Measured(Subject subject, String arithmetic, Runnable closing) implements AutoCloseable {
    /// How its prompts are put together.
    ///
    /// @param begins whether texts begin with the token for that; without it as the model's
    ///   tokenizer has it
    record Manner(Optional<Boolean> begins, boolean chatTemplate, boolean separateTurns) {
        static final Manner USUAL = new Manner(Optional.empty(), false, true);

        private Prompts prompts(Function<List<Prompts.Message>, String> conversation) {
            return chatTemplate
                    ? new Prompts(Optional.of(conversation), separateTurns)
                    : Prompts.PLAIN;
        }
    }

    /// On libtorch, in floating point.
    static Measured onTorch(
            Path directory, Manner manner, Compute compute, ConsoleProgress progress) {
        Tokenizer tokenizer = Tokenizers.load(directory);
        progress.say("reading " + directory);
        String key = ModelFiles.sha256OfModel(directory);
        TorchModel model = TorchModel.load(directory, tokenizer, compute);
        return new Measured(
                subject(
                        model,
                        Hashes.sha256(key + compute.device() + compute.type()),
                        directory,
                        manner),
                compute.describe(),
                model::close);
    }

    /// A model of which more is known from its folder.
    static Subject subject(LanguageModel model, String key, Path directory, Manner manner) {
        TextConventions conventions = TextConventions.ofFolder(directory, model.tokenizer());
        Optional<ChatTemplate> template =
                manner.chatTemplate() ? conventions.chatTemplate() : Optional.empty();
        Prompts prompts =
                manner.prompts(
                        template.<Function<List<Prompts.Message>, String>>map(
                                        t -> messages -> t.render(variables(messages, conventions)))
                                .orElseGet(() -> {
                                    if (manner.chatTemplate()) {
                                        throw new PenjingException(
                                                directory
                                                        + " has no chat template: leave --chat-template out");
                                    }
                                    return messages -> "";
                                }));
        return new Subject(
                model,
                key.substring(0, 32),
                manner.begins().orElseGet(conventions::addsBos),
                conventions.text(SpecialToken.BOS),
                conventions.text(SpecialToken.EOS),
                conventions.endIds(),
                prompts);
    }

    private static Map<String, Object> variables(
            List<Prompts.Message> messages, TextConventions conventions) {
        Map<String, Object> variables = new HashMap<>(conventions.templateVariables());
        variables.put("messages", maps(messages));
        variables.put("add_generation_prompt", true);
        return variables;
    }

    private static List<Map<String, String>> maps(List<Prompts.Message> messages) {
        return messages.stream()
                .map(m -> Map.of("role", m.role(), "content", m.content()))
                .toList();
    }

    /// On the engine, quantised.
    static Measured onEngine(
            Path path, Manner manner, EngineOptions options, ConsoleProgress progress) {
        progress.say("reading " + path);
        String key = ModelFiles.sha256OfModel(path);
        Engine engine = Engine.load(path, options, progress);
        progress.finish();
        try {
            if (manner.chatTemplate() && !engine.hasChatTemplate()) {
                throw new PenjingException(
                        path + " has no chat template: leave --chat-template out");
            }
            Subject subject =
                    new Subject(
                            engine.languageModel(),
                            Hashes.sha256(key + "engine " + engine.quantization()).substring(0, 32),
                            manner.begins().orElseGet(engine::beginsTexts),
                            present(engine.special("bos")),
                            present(engine.special("eos")),
                            engine.ends(),
                            manner.prompts(messages -> engine.render(maps(messages), Map.of())));
            return new Measured(subject, engine.describe(), engine::close);
        } catch (RuntimeException e) {
            engine.close();
            throw e;
        }
    }

    private static Optional<String> present(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(text);
    }

    @Override
    public void close() {
        closing.run();
    }
}
