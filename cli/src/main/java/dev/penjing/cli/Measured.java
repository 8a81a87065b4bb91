package dev.penjing.cli;

import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.run.Artifacts;
import dev.penjing.compression.torch.Compute;
import dev.penjing.evaluation.Prompts;
import dev.penjing.evaluation.Subject;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.template.ChatTemplate;
import dev.penjing.model.tokenizer.SpecialTokens;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A model opened to be measured.
///
/// @param arithmetic what computes, and in which types
record Measured(Subject subject, String arithmetic, Runnable closing) implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

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
        String key = Artifacts.sha256OfModel(directory);
        TorchModel model = TorchModel.load(directory, tokenizer, compute);
        return new Measured(
                subject(
                        model,
                        Artifacts.sha256(key + compute.device() + compute.type()),
                        directory,
                        manner),
                compute.describe(),
                model::close);
    }

    /// A model of which more is known from its folder.
    static Subject subject(LanguageModel model, String key, Path directory, Manner manner) {
        SpecialTokens special = SpecialTokens.of(directory);
        Optional<ChatTemplate> template =
                manner.chatTemplate() ? ChatTemplate.of(directory) : Optional.empty();
        Prompts prompts =
                manner.prompts(
                        template.<Function<List<Prompts.Message>, String>>map(
                                        t -> messages -> t.render(variables(messages, special)))
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
                manner.begins().orElseGet(special::beginsTexts),
                present(special.text("bos")),
                present(special.text("eos")),
                ends(directory, special, model.tokenizer()),
                prompts);
    }

    private static Map<String, Object> variables(
            List<Prompts.Message> messages, SpecialTokens special) {
        Map<String, Object> variables = new HashMap<>();
        for (String name : List.of("bos", "eos", "pad", "unk")) {
            variables.put(name + "_token", special.text(name));
        }
        variables.put("messages", maps(messages));
        variables.put("add_generation_prompt", true);
        return variables;
    }

    private static List<Map<String, String>> maps(List<Prompts.Message> messages) {
        return messages.stream()
                .map(m -> Map.of("role", m.role(), "content", m.content()))
                .toList();
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

    /// On the engine, quantised.
    static Measured onEngine(
            Path path, Manner manner, EngineOptions options, ConsoleProgress progress) {
        progress.say("reading " + path);
        String key =
                Files.isDirectory(path) ? Artifacts.sha256OfModel(path) : Artifacts.sha256(path);
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
                            Artifacts.sha256(key + "engine " + engine.quantization())
                                    .substring(0, 32),
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
