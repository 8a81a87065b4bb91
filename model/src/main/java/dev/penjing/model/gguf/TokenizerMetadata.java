package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.MergePair;
import dev.penjing.model.tokenizer.PreTokenizers;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// A `tokenizer.json` as GGUF metadata: what `Tokenizers.fromGguf` reads back.
final class TokenizerMetadata {
    // llama.cpp, llama_token_type
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;

    private static final Optional<String> QWEN2 = Optional.of("qwen2");

    /// Blanks as SentencePiece writes them.
    private static final Set<String> BLANKS = Set.of("Prepend\u2581", "Replace \u2581");

    private TokenizerMetadata() {}

    /// @param size of the model's vocabulary; ids that the tokenizer lacks are filled up
    /// @throws PenjingException if GGUF has no name for what the tokenizer does
    static Map<String, Object> of(JsonNode json, int size) {
        String[] tokens = new String[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = "[PAD" + id + "]";
        }
        int[] types = new int[size];
        Arrays.fill(types, UNUSED);
        JsonNode model = json.path("model");
        model.path("vocab")
                .properties()
                .forEach(entry -> {
                    int id = entry.getValue().asInt();
                    tokens[id] = entry.getKey();
                    types[id] = entry.getKey().matches("<0x[0-9A-F]{2}>") ? BYTE : NORMAL;
                });
        String unknown = model.path("unk_token").asString("");
        json.path("added_tokens")
                .forEach(token -> {
                    int id = token.path("id").asInt();
                    tokens[id] = token.path("content").asString();
                    types[id] =
                            tokens[id].equals(unknown)
                                    ? UNKNOWN
                                    : token.path("special").asBoolean() ? CONTROL : USER_DEFINED;
                });
        Map<String, Object> metadata = new LinkedHashMap<>();
        boolean bytes = !model.path("byte_fallback").asBoolean(false);
        metadata.put("tokenizer.ggml.model", bytes ? "gpt2" : "llama");
        if (bytes) {
            Optional<String> pre = PreTokenizers.ggufName(json.path("pre_tokenizer"));
            metadata.put(
                    "tokenizer.ggml.pre",
                    pre.orElseThrow(() ->
                            new PenjingException(
                                    "GGUF has no name for this tokenizer's way to split text: the model cannot be written to GGUF")));
            metadata.put("tokenizer.ggml.merges", merges(model.path("merges")));
            requireNormalizers(
                    json.path("normalizer"), QWEN2.equals(pre) ? Set.of("NFC") : Set.of());
        } else {
            metadata.put("tokenizer.ggml.pre", "default");
            metadata.put("tokenizer.ggml.scores", scores(model.path("merges"), tokens));
            requireNormalizers(json.path("normalizer"), BLANKS);
            metadata.put("tokenizer.ggml.add_space_prefix", beginsWithBlank(json));
        }
        metadata.put("tokenizer.ggml.tokens", tokens);
        metadata.put("tokenizer.ggml.token_type", types);
        return metadata;
    }

    /// Whether a text gets a blank before it: by a normalizer, or by the pre-tokenizer.
    private static boolean beginsWithBlank(JsonNode json) {
        JsonNode pre = json.path("pre_tokenizer");
        String scheme =
                pre.path("prepend_scheme")
                        .asString(
                                pre.path("add_prefix_space").asBoolean(true) ? "always" : "never");
        boolean metaspace = pre.path("type").asString("").equals("Metaspace");
        return json.path("normalizer").toString().contains("Prepend")
                || metaspace && !scheme.equals("never");
    }

    /// GGUF can name none but those that write blanks as SentencePiece does, and NFC of Qwen2,
    /// which readers leave out.
    ///
    /// @param said normalizers that it can
    private static void requireNormalizers(JsonNode json, Set<String> said) {
        if (json.path("type").asString("").equals("Sequence")) {
            json.path("normalizers").forEach(part -> requireNormalizers(part, said));
            return;
        }
        String type = json.path("type").asString("");
        String what =
                switch (type) {
                    case "Prepend" -> type + json.path("prepend").asString("");
                    case "Replace" ->
                            type
                                    + json.at("/pattern/String").asString("")
                                    + json.path("content").asString("");
                    default -> type;
                };
        if (!type.isEmpty() && !said.contains(what)) {
            throw new PenjingException(
                    "GGUF has no name for this tokenizer's normalizer %s: the model cannot be written to GGUF"
                            .formatted(type));
        }
    }

    private static String[] merges(JsonNode json) {
        String[] merges = new String[json.size()];
        for (int i = 0; i < merges.length; i++) {
            MergePair pair = MergePair.of(json.get(i)).orElseThrow();
            merges[i] = pair.left() + " " + pair.right();
        }
        return merges;
    }

    /// SentencePiece's scores, as far as merges tell: the earlier a token is merged, the better.
    private static float[] scores(JsonNode merges, String[] tokens) {
        Map<String, Integer> rank = new HashMap<>();
        for (int i = 0; i < merges.size(); i++) {
            rank.putIfAbsent(MergePair.of(merges.get(i)).orElseThrow().joined(), i);
        }
        float[] scores = new float[tokens.length];
        for (int id = 0; id < tokens.length; id++) {
            scores[id] = -rank.getOrDefault(tokens[id], 0);
        }
        return scores;
    }
}
