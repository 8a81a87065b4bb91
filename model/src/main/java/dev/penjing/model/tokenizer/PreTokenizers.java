package dev.penjing.model.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// What llama.cpp calls the ways to split text that it knows.
public final class PreTokenizers {
    private PreTokenizers() {}

    /// @param json the `pre_tokenizer` of a tokenizer.json that works on bytes
    /// @return the value of `tokenizer.ggml.pre`, or nothing if GGUF has no name for it
    public static Optional<String> ggufName(JsonNode json) {
        List<JsonNode> parts = new ArrayList<>();
        if (json.path("type").asString("").equals("Sequence")) {
            json.path("pretokenizers").forEach(parts::add);
        } else {
            parts.add(json);
        }
        JsonNode last = parts.getLast();
        boolean bytes =
                last.path("type").asString("").equals("ByteLevel")
                        && !last.path("add_prefix_space").asBoolean(true);
        if (!bytes || parts.size() > 2) {
            return Optional.empty();
        }
        boolean ownPattern = last.path("use_regex").asBoolean(true);
        if (parts.size() == 1) {
            return ownPattern ? Optional.of("gpt-2") : Optional.empty();
        }
        JsonNode first = parts.getFirst();
        return switch (first.path("type").asString("")) {
            case "Digits" ->
                    ownPattern && first.path("individual_digits").asBoolean(false)
                            ? Optional.of("smollm")
                            : Optional.empty();
            case "Split" ->
                    ownPattern || !isIsolated(first)
                            ? Optional.empty()
                            : name(first.path("pattern").path("Regex"));
            default -> Optional.empty();
        };
    }

    private static boolean isIsolated(JsonNode split) {
        return split.path("behavior").asString("").equals("Isolated")
                && !split.path("invert").asBoolean(false);
    }

    private static Optional<String> name(JsonNode pattern) {
        return switch (pattern.asString("")) {
            case PreTokenizer.LLAMA3 -> Optional.of("llama-bpe");
            case PreTokenizer.QWEN2 -> Optional.of("qwen2");
            case PreTokenizer.TEKKEN -> Optional.of("tekken");
            default -> Optional.empty();
        };
    }
}
