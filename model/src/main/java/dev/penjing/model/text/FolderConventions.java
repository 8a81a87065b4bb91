package dev.penjing.model.text;

import dev.penjing.model.PenjingException;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.template.ChatTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What the files of a folder in Hugging Face form declare. The rules are those of transformers'
/// `PreTrainedTokenizerFast` (texts, the post-processor) and `GenerationConfig` (ids that end).
final class FolderConventions {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;
    private final Map<SpecialToken, String> texts = new EnumMap<>(SpecialToken.class);

    FolderConventions(Path folder) {
        this.folder = folder;
        JsonNode settings = read("tokenizer_config.json");
        JsonNode map = read("special_tokens_map.json");
        for (SpecialToken token : SpecialToken.values()) {
            String text = text(settings.path(token.textKey()));
            text = text.isEmpty() ? text(map.path(token.textKey())) : text;
            if (!text.isEmpty()) {
                texts.put(token, text);
            }
        }
    }

    TextConventions.Declared declared() {
        List<JsonNode> configs = List.of(read("generation_config.json"), read("config.json"));
        Map<SpecialToken, Integer> ids = new EnumMap<>(SpecialToken.class);
        Set<Integer> ends = new LinkedHashSet<>();
        for (JsonNode config : configs) {
            for (SpecialToken token : SpecialToken.values()) {
                JsonNode id = config.path(token.idKey());
                if (token != SpecialToken.EOS && id.isIntegralNumber() && id.asInt(-1) >= 0) {
                    ids.putIfAbsent(token, id.asInt());
                }
            }
            JsonNode eos = config.path(SpecialToken.EOS.idKey());
            if (eos.isIntegralNumber()) {
                ends.add(eos.asInt(-1));
            }
            eos.forEach(id -> ends.add(id.asInt(-1)));
        }
        JsonNode processor = read("tokenizer.json").path("post_processor");
        return new TextConventions.Declared(
                texts,
                ids,
                ends,
                adds(SpecialToken.BOS, processor),
                adds(SpecialToken.EOS, processor),
                ChatTemplate.sourceIn(folder));
    }

    /// The post-processor of tokenizer.json decides, as in transformers 5, whatever `add_bos_token`
    /// and the tokenizer's class say.
    private boolean adds(SpecialToken token, JsonNode processor) {
        return PostProcessor.adds(token, texts.getOrDefault(token, ""), processor);
    }

    private static String text(JsonNode token) {
        return token.isString() ? token.stringValue() : token.path("content").asString("");
    }

    private JsonNode read(String name) {
        Path file = folder.resolve(name);
        try {
            return Files.isRegularFile(file)
                    ? JsonText.parse(Files.readString(file))
                    : JSON.createObjectNode();
        } catch (IOException | JacksonException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
