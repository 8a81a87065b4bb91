package dev.penjing.model.rows;

import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Rows in JSON: an object a line, or an array of objects.
final class JsonRows {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private JsonRows() {}

    /// @param lines whether it is JSON Lines for certain; else what it begins with decides
    static void read(TextInput in, boolean lines, Rows.Sink sink) throws IOException {
        if (lines || in.peek() == '{') {
            lines(in, sink);
        } else {
            array(in, sink);
        }
    }

    private static void lines(TextInput in, Rows.Sink sink) throws IOException {
        boolean more = true;
        for (int number = 1; more; number++) {
            String where = "line " + number;
            try {
                Optional<String> line = in.line();
                if (line.isEmpty()) {
                    return;
                }
                more = line.get().isBlank() || sink.row(object(JSON.readTree(line.get()), where));
            } catch (JacksonException e) {
                throw new Rows.BrokenException(where + ": " + what(e));
            } catch (CharacterCodingException e) {
                throw new Rows.BrokenException(where + " is not in UTF-8");
            }
        }
    }

    private static void array(TextInput in, Rows.Sink sink) throws IOException {
        try (JsonParser parser = JSON.createParser(in.reader())) {
            JsonToken first = parser.nextToken();
            if (first != JsonToken.START_ARRAY) {
                if (first == null) {
                    return;
                }
                throw new Rows.BrokenException("it is no array of objects");
            }
            boolean more = true;
            for (int i = 1; more && parser.nextToken() != JsonToken.END_ARRAY; i++) {
                more = sink.row(object(parser.readValueAsTree(), "item " + i));
            }
            if (more && parser.nextToken() != null) {
                throw new Rows.BrokenException("there is more behind the array");
            }
        }
    }

    private static ObjectNode object(JsonNode node, String where) throws Rows.BrokenException {
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new Rows.BrokenException(where + " is no object");
    }

    /// What is wrong with the JSON, on one line.
    static String what(JacksonException e) {
        return Optional.ofNullable(JsonText.reason(e))
                .flatMap(m -> m.lines().findFirst())
                .orElse("not readable");
    }

    static String where(JacksonException e) {
        return Optional.ofNullable(e.getLocation())
                .filter(l -> l.getLineNr() > 0)
                .map(l -> "line " + l.getLineNr() + ": ")
                .orElse("");
    }
}
