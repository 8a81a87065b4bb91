package dev.penjing.model.files;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON as other people's tools write and read it: Python takes and writes `NaN` and `Infinity`,
/// and editors put a byte order mark before a text.
public final class JsonText {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    /// What the parser says of itself rather than of the text: where it looked, and its switches.
    private static final Pattern OF_THE_PARSER =
            Pattern.compile(
                    "\\s*\\((start marker )?at \\[Source:[^\\]]*\\]\\)|\\s*\\[Source:[^\\]]*\\]|\\s*\\(?enable `[^`]*`[^)]*\\)?");

    private JsonText() {}

    /// Why a text is no JSON, for people.
    public static String reason(JacksonException e) {
        return OF_THE_PARSER.matcher(e.getOriginalMessage()).replaceAll("");
    }

    /// Puts a number, or null in place of one that is not finite: JSON has no name for it, and a
    /// text in its place is no number to whoever reads it.
    public static void put(ObjectNode to, String key, double value) {
        if (Double.isFinite(value)) {
            to.put(key, value);
        } else {
            to.putNull(key);
        }
    }

    /// A file of JSON.
    ///
    /// @throws PenjingException if it cannot be read, or is none
    public static JsonNode read(Path file) {
        try {
            return parse(Files.readString(file));
        } catch (JacksonException e) {
            throw new PenjingException(file + " is not JSON: " + reason(e), e);
        } catch (IOException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// @throws JacksonException if it is no JSON
    public static JsonNode parse(String text) {
        return JSON.readTree(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text);
    }
}
