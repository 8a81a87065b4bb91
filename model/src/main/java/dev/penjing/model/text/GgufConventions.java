package dev.penjing.model.text;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the metadata of a GGUF file declares, by the rules of llama.cpp's `llama_vocab`.
final class GgufConventions {
    /// Pre-tokenizers whose texts begin with BOS where the file does not say.
    private static final Set<String> BEGIN = Set.of("llama-bpe", "llama3", "llama-v3", "tekken");

    private GgufConventions() {}

    static TextConventions.Declared declared(Map<String, Object> metadata) {
        String[] tokens =
                metadata.get("tokenizer.ggml.tokens") instanceof String[] all ? all : new String[0];
        Map<SpecialToken, String> texts = new EnumMap<>(SpecialToken.class);
        Map<SpecialToken, Integer> ids = new EnumMap<>(SpecialToken.class);
        for (SpecialToken token : SpecialToken.values()) {
            id(metadata, token.ggufKey(), tokens.length)
                    .ifPresent(id -> {
                        ids.put(token, id);
                        texts.put(token, tokens[id]);
                    });
        }
        Set<Integer> ends = new LinkedHashSet<>();
        for (String key : endKeys()) {
            id(metadata, key, tokens.length).ifPresent(ends::add);
        }
        return new TextConventions.Declared(
                texts,
                ids,
                ends,
                metadata.get("tokenizer.ggml.add_bos_token") instanceof Boolean said
                        ? said
                        : beginsByDefault(metadata),
                metadata.get("tokenizer.ggml.add_eos_token") instanceof Boolean said && said,
                metadata.get("tokenizer.chat_template") instanceof String template
                        ? Optional.of(template)
                        : Optional.empty());
    }

    private static List<String> endKeys() {
        List<String> keys = new ArrayList<>(List.of(SpecialToken.EOS.ggufKey()));
        keys.addAll(TextConventions.GGUF_MORE_ENDS);
        return keys;
    }

    private static boolean beginsByDefault(Map<String, Object> metadata) {
        return "llama".equals(metadata.get("tokenizer.ggml.model"))
                || metadata.get("tokenizer.ggml.pre") instanceof String pre && BEGIN.contains(pre);
    }

    private static Optional<Integer> id(Map<String, Object> metadata, String key, int size) {
        return metadata.get(key) instanceof Number id
                        && id.longValue() >= 0
                        && id.longValue() < size
                ? Optional.of(id.intValue())
                : Optional.empty();
    }
}
