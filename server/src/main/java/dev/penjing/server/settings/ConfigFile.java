package dev.penjing.server.settings;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The file of `--config`: one JSON object.
final class ConfigFile {
    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private ConfigFile() {}

    /// Values as a person would type them, by name.
    static Map<String, String> read(Path file) {
        JsonNode root;
        try {
            root = JSON.readTree(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new PenjingException("there is no config file " + file, e);
        } catch (CharacterCodingException e) {
            throw new PenjingException(file + " is not UTF-8 text: give a JSON file", e);
        } catch (IOException e) {
            throw new PenjingException(file + " cannot be read: give a JSON file", e);
        } catch (JacksonException e) {
            throw new UsageException(
                    "%s is not JSON: %s (line %d)"
                            .formatted(file, JsonText.reason(e), e.getLocation().getLineNr()));
        }
        if (!root.isObject()) {
            throw new UsageException(file + " must hold one JSON object, of settings by name");
        }
        Map<String, String> values = new LinkedHashMap<>();
        root.forEachEntry((name, node) -> values.put(name, text(file, name, node)));
        return values;
    }

    private static String text(Path file, String name, JsonNode node) {
        if (node.isString()) {
            return node.stringValue();
        }
        if (node.isNumber() || node.isBoolean()) {
            return node.asString();
        }
        if (node.isArray()) {
            List<String> items = new ArrayList<>();
            for (JsonNode item : node) {
                if (!item.isString() || item.stringValue().contains(",")) {
                    throw new UsageException(
                            "%s: the list '%s' must hold texts without commas"
                                    .formatted(file, name));
                }
                items.add(item.stringValue());
            }
            return String.join(",", items);
        }
        throw new UsageException(
                "%s: '%s' must be a text, a number, true, false or a list of texts"
                        .formatted(file, name));
    }
}
