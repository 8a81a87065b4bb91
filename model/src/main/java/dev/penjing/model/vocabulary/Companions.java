package dev.penjing.model.vocabulary;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.NamedTokens;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.tokenizer.MergePair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The files beside a model's weights that name tokens by their ids.
final class Companions {
    static final String TOKENIZER = "tokenizer.json";
    static final String SETTINGS = "tokenizer_config.json";
    static final String GENERATION = "generation_config.json";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Companions() {}

    /// The file as JSON, an empty object where there is none.
    static ObjectNode read(Path folder, String name) {
        Path file = folder.resolve(name);
        return Files.exists(file) && JsonText.read(file) instanceof ObjectNode json
                ? json
                : JSON.createObjectNode();
    }

    /// Writes what belongs to a model that keeps some tokens of another: the tokenizer, and what
    /// else names ids, renumbered. A SentencePiece file, which only repeats the tokenizer, would
    /// still hold all tokens: it is left out.
    ///
    /// @param ids from old to new, negative for tokens that are not kept
    static void write(Path from, IntUnaryOperator ids, Path to) {
        rewrite(from, TOKENIZER, to, json -> cutTokenizer(json, ids));
        rewrite(from, SETTINGS, to, json -> changeSettings(json, ids));
        rewrite(from, GENERATION, to, json -> NamedTokens.change(json, ids));
        ModelFiles.copy(from, to, List.of("special_tokens_map.json", "chat_template.jinja"));
        try {
            Files.deleteIfExists(to.resolve("tokenizer.model"));
        } catch (IOException e) {
            throw new PenjingException("cannot clean up " + to + ": " + e.getMessage(), e);
        }
    }

    private static void rewrite(Path from, String name, Path to, Consumer<ObjectNode> change) {
        if (Files.exists(from.resolve(name))) {
            ObjectNode json = read(from, name);
            change.accept(json);
            AtomicFile.write(to.resolve(name), json.toPrettyString());
        }
    }

    private static void cutTokenizer(ObjectNode json, IntUnaryOperator ids) {
        cutModel((ObjectNode) json.path("model"), ids);
        changeTokenizer(json, ids);
    }

    /// Tokens and merges, each in their order.
    private static void cutModel(ObjectNode model, IntUnaryOperator ids) {
        Map<String, Integer> kept = new HashMap<>();
        ObjectNode vocabulary = JSON.createObjectNode();
        model.path("vocab")
                .properties()
                .forEach(token -> {
                    int id = ids.applyAsInt(token.getValue().asInt());
                    if (id >= 0) {
                        vocabulary.put(token.getKey(), id);
                        kept.put(token.getKey(), id);
                    }
                });
        model.set("vocab", vocabulary);
        ArrayNode merges = JSON.createArrayNode();
        for (JsonNode merge : model.path("merges")) {
            MergePair pair = MergePair.of(merge).orElseThrow();
            if (kept.containsKey(pair.joined())) {
                merges.add(merge);
            }
        }
        model.set("merges", merges);
    }

    /// Added tokens, padding and post-processors of a `tokenizer.json`: what must be kept of it.
    static void changeTokenizer(ObjectNode json, IntUnaryOperator ids) {
        json.path("added_tokens").forEach(token -> change(token, "id", ids));
        change(json.path("padding"), "pad_id", ids);
        changeProcessor(json.path("post_processor"), ids);
    }

    private static void change(JsonNode json, String key, IntUnaryOperator ids) {
        if (json instanceof ObjectNode object && object.path(key).isIntegralNumber()) {
            object.put(key, ids.applyAsInt(object.path(key).asInt()));
        }
    }

    /// `TemplateProcessing` has ids in its `special_tokens`, those of BERT and RoBERTa have
    /// `["</s>", 2]`, and a `Sequence` has others.
    private static void changeProcessor(JsonNode json, IntUnaryOperator ids) {
        json.path("processors").forEach(part -> changeProcessor(part, ids));
        for (JsonNode token : json.path("special_tokens")) {
            changeNumbers(token.path("ids"), ids);
        }
        changeNumbers(json.path("sep"), ids);
        changeNumbers(json.path("cls"), ids);
    }

    private static void changeNumbers(JsonNode json, IntUnaryOperator ids) {
        if (json instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                if (array.get(i).isIntegralNumber()) {
                    array.set(i, ids.applyAsInt(array.get(i).asInt()));
                }
            }
        }
    }

    /// A `tokenizer_config.json`: ids by name, and added tokens by their ids.
    static void changeSettings(ObjectNode json, IntUnaryOperator ids) {
        NamedTokens.change(json, ids);
        if (json.path("added_tokens_decoder") instanceof ObjectNode added) {
            ObjectNode changed = JSON.createObjectNode();
            added.properties()
                    .forEach(token ->
                            changed.set(
                                    Integer.toString(
                                            ids.applyAsInt(Integer.parseInt(token.getKey()))),
                                    token.getValue()));
            json.set("added_tokens_decoder", changed);
        }
    }
}
