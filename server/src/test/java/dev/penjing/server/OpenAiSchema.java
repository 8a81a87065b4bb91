package dev.penjing.server;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Holds JSON against what OpenAI's specification says about its answers: `openai-schemas.json`.
///
/// Names are the specification's, such as `CreateChatCompletionResponse`, but for
/// `CreateCompletionStreamResponse` (a chunk of a completion) and `NimModel` and
/// `ListNimModelsResponse` (models with NIM's further fields), which it lacks.
final class OpenAiSchema {
    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final ObjectNode DEFINITIONS =
            (ObjectNode) resource("openai-schemas.json").get("$defs");
    private static final Map<String, Schema> SCHEMAS = new ConcurrentHashMap<>();

    private OpenAiSchema() {}

    /// @throws AssertionError if there is a fault
    static void check(String schemaName, String json) {
        List<String> faults = faults(schemaName, json);
        if (!faults.isEmpty()) {
            throw new AssertionError(
                    "no %s:\n  %s\nin %s".formatted(schemaName, String.join("\n  ", faults), json));
        }
    }

    /// What is wrong, each with its place in the JSON; empty if nothing is.
    static List<String> faults(String schemaName, String json) {
        JsonNode node;
        try {
            node = JSON.readTree(json);
        } catch (JacksonException e) {
            return List.of("no JSON: " + e.getOriginalMessage());
        }
        return faults(SCHEMAS.computeIfAbsent(named(schemaName, node), OpenAiSchema::load), node);
    }

    /// As above, for any schema.
    static List<String> faults(Schema schema, JsonNode node) {
        return schema.validate(node).stream().map(Error::toString).distinct().toList();
    }

    /// The schema at `pointer` in `document`, whose references may point anywhere in it.
    static Schema schema(ObjectNode document, String pointer) {
        ObjectNode node = JSON.createObjectNode();
        node.put("$ref", "#" + pointer);
        document.properties().forEach(e -> node.set(e.getKey(), e.getValue()));
        return REGISTRY.getSchema(node);
    }

    /// @param name of a JSON file beside this class
    static JsonNode resource(String name) {
        try (InputStream in = OpenAiSchema.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new AssertionError("there is no " + name);
            }
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode read(String json) {
        return JSON.readTree(json);
    }

    private static Schema load(String schemaName) {
        if (!DEFINITIONS.has(schemaName)) {
            throw new IllegalArgumentException("there is no schema " + schemaName);
        }
        ObjectNode document = JSON.createObjectNode();
        document.set("$defs", DEFINITIONS);
        return schema(document, "/$defs/" + schemaName);
    }

    /// Of the stream's events, the one whose type this is: otherwise faults would be reported
    /// against all of them.
    private static String named(String schemaName, JsonNode node) {
        if (schemaName.equals("ResponseStreamEvent")) {
            for (JsonNode event : DEFINITIONS.path(schemaName).path("anyOf")) {
                String name = event.path("$ref").asString().substring("#/$defs/".length());
                JsonNode type =
                        DEFINITIONS.path(name).path("properties").path("type").path("const");
                if (type.equals(node.path("type"))) {
                    return name;
                }
            }
        }
        return schemaName;
    }
}
