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
/// `PreTrainedTokenizerBase` (texts, `add_bos_token`) and `GenerationConfig` (ids that end).
final class FolderConventions {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;
    private final JsonNode settings;
    private final Map<SpecialToken, String> texts = new EnumMap<>(SpecialToken.class);

    FolderConventions(Path folder) {
        this.folder = folder;
        this.settings = read("tokenizer_config.json");
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

    /// `add_bos_token` or `add_eos_token` decides; else the template of tokenizer.json's
    /// post-processor; else, for BOS, whether the class is Llama's, which adds it by default.
    private boolean adds(SpecialToken token, JsonNode processor) {
        JsonNode said = settings.path("add_" + token.textKey());
        if (said.isBoolean()) {
            return said.booleanValue();
        }
        if (processor.isMissingNode() || processor.isNull()) {
            return token == SpecialToken.BOS
                    && settings.path("tokenizer_class").asString("").startsWith("LlamaTokenizer");
        }
        if (adds(token, processor.path("single"), texts.getOrDefault(token, ""))) {
            return true;
        }
        for (JsonNode one : processor.path("processors")) {
            if (adds(token, one.path("single"), texts.getOrDefault(token, ""))) {
                return true;
            }
        }
        return false;
    }

    /// @param parts of a `TemplateProcessing`: special tokens and, between them, the text
    private static boolean adds(SpecialToken token, JsonNode parts, String text) {
        if (parts.isEmpty() || text.isEmpty()) {
            return false;
        }
        JsonNode part = parts.get(token == SpecialToken.BOS ? 0 : parts.size() - 1);
        return part.at("/SpecialToken/id").asString("").equals(text);
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
