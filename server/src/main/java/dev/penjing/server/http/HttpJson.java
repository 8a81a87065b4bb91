package dev.penjing.server.http;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// JSON as requests may hold it: bounded depth, UTF-8, no name twice.
public final class HttpJson {
    private static final int DEEPEST = 64;
    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(DEEPEST)
                                                    .maxNumberLength(100)
                                                    .maxNameLength(4096)
                                                    .maxStringLength(Integer.MAX_VALUE)
                                                    .build())
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private HttpJson() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static ArrayNode array() {
        return MAPPER.createArrayNode();
    }

    public static byte[] bytes(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    /// The body of an answer that is an error, in OpenAI's form.
    public static ObjectNode error(ApiException problem) {
        ObjectNode body = object();
        body.putObject("error")
                .put("message", problem.message())
                .put("type", problem.type())
                .put("param", problem.parameter().orElse(null))
                .put("code", problem.code().orElse(null));
        return body;
    }

    /// @throws ApiException if that is no JSON object in UTF-8
    public static ObjectNode parse(byte[] body) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException e) {
            throw ApiException.invalid(400, "invalid_encoding", "The body is not UTF-8.");
        }
        JsonNode node;
        try {
            // some editors and languages begin every text with a byte order mark
            node = MAPPER.readTree(text.startsWith("\uFEFF") ? text.substring(1) : text);
        } catch (JacksonException e) {
            throw ApiException.invalid(
                    400,
                    "invalid_json",
                    "The body is no JSON, or is nested deeper than %d, or names a field twice: line %d, column %d."
                            .formatted(
                                    DEEPEST,
                                    e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                                    e.getLocation() == null ? 1 : e.getLocation().getColumnNr()));
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw ApiException.invalid(400, "invalid_json", "The body must be a JSON object.");
    }
}
