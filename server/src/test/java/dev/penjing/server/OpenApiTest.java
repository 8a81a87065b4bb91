package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What the server says of itself: `openapi.json`.
class OpenApiTest {
    private static final ObjectNode DOCUMENT = (ObjectNode) OpenAiSchema.resource("openapi.json");

    /// A request or answer of the document: where its schema is, and its examples.
    private record Media(String schema, String event, String examples) {}

    private static Map<String, JsonNode> operations() {
        Map<String, JsonNode> all = new LinkedHashMap<>();
        DOCUMENT.path("paths")
                .properties()
                .forEach(path ->
                        path.getValue()
                                .properties()
                                .forEach(method ->
                                        all.put(
                                                "/paths/%s/%s"
                                                        .formatted(
                                                                escaped(path.getKey()),
                                                                method.getKey()),
                                                method.getValue())));
        return all;
    }

    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    /// Every part of the document, by its pointer.
    private static Map<String, JsonNode> parts(String pointer, JsonNode node) {
        Map<String, JsonNode> all = new LinkedHashMap<>();
        all.put(pointer, node);
        if (node.isObject()) {
            node.properties()
                    .forEach(e ->
                            all.putAll(parts(pointer + "/" + escaped(e.getKey()), e.getValue())));
        } else {
            for (int i = 0; i < node.size(); i++) {
                all.putAll(parts(pointer + "/" + i, node.get(i)));
            }
        }
        return all;
    }

    /// All parts that have a schema and examples.
    private static List<Media> media() {
        List<Media> all = new ArrayList<>();
        parts("", DOCUMENT)
                .forEach((pointer, node) -> {
                    if (node.has("schema") && node.has("examples")) {
                        all.add(
                                new Media(
                                        pointer + "/schema",
                                        node.has("x-event") ? pointer + "/x-event" : "",
                                        pointer + "/examples"));
                    }
                });
        return all;
    }

    private static List<String> faults(String schema, JsonNode value) {
        return OpenAiSchema.faults(OpenAiSchema.schema(DOCUMENT, fragment(schema)), value);
    }

    /// Path templates have braces, which a URI fragment may not.
    private static String fragment(String pointer) {
        return pointer.replace("{", "%7B").replace("}", "%7D");
    }

    @Test
    void isOpenApi() {
        assertThat(DOCUMENT.path("openapi").asString()).isEqualTo("3.1.0");
        assertThat(DOCUMENT.path("info").path("title").asString()).isEqualTo("Penjing");
        assertThat(DOCUMENT.path("info").path("version").asString()).isNotBlank();
        Set<String> ids = new HashSet<>();
        Set<String> tags = new HashSet<>();
        DOCUMENT.path("tags").forEach(tag -> tags.add(tag.path("name").asString()));
        operations()
                .forEach((pointer, operation) -> {
                    assertThat(ids.add(operation.path("operationId").asString()))
                            .as(pointer)
                            .isTrue();
                    assertThat(tags)
                            .as(pointer)
                            .contains(operation.path("tags").path(0).asString());
                });
    }

    @Test
    void everyReferencePointsSomewhereAndEveryComponentIsUsed() {
        Set<String> referred = new TreeSet<>();
        parts("", DOCUMENT)
                .forEach((pointer, node) -> {
                    if (node.isObject() && node.path("$ref").isString()) {
                        String reference = node.path("$ref").asString();
                        assertThat(reference).as(pointer).startsWith("#/components/");
                        assertThat(DOCUMENT.at(reference.substring(1)).isObject())
                                .as("%s -> %s", pointer, reference)
                                .isTrue();
                        referred.add(reference);
                    }
                });
        for (String kind : List.of("schemas", "responses", "headers")) {
            for (String name : DOCUMENT.path("components").path(kind).propertyNames()) {
                assertThat(referred).contains("#/components/%s/%s".formatted(kind, name));
            }
        }
    }

    @Test
    void everyOperationSaysWhatItDoesAndWhatComesBack() {
        assertThat(operations()).hasSizeGreaterThan(15);
        operations()
                .forEach((pointer, operation) -> {
                    assertThat(operation.path("summary").asString()).as(pointer).isNotBlank();
                    JsonNode responses = operation.path("responses");
                    assertThat(responses.has("200")).as(pointer).isTrue();
                    responses
                            .properties()
                            .forEach(e -> {
                                JsonNode answer = resolved(e.getValue());
                                assertThat(answer.path("description").asString())
                                        .as(pointer)
                                        .isNotBlank();
                                assertThat(answer.path("content").isEmpty())
                                        .as(pointer + e.getKey())
                                        .isFalse();
                                assertThat(answer.path("headers").has("x-request-id"))
                                        .as(pointer)
                                        .isTrue();
                                if (e.getKey().equals("429") || e.getKey().equals("503")) {
                                    assertThat(answer.path("headers").has("retry-after"))
                                            .as(pointer)
                                            .isTrue();
                                }
                            });
                    if (!operation.has("security")) {
                        assertThat(responses.has("401")).as(pointer).isTrue();
                    }
                    if (pointer.endsWith("/post")) {
                        assertThat(responses.propertyNames())
                                .as(pointer)
                                .contains("400", "404", "413", "415", "503");
                    }
                });
    }

    private static JsonNode resolved(JsonNode node) {
        JsonNode reference = node.path("$ref");
        return reference.isString() ? DOCUMENT.at(reference.asString().substring(1)) : node;
    }

    @Test
    void everyOperationHasARequestThatFitsItsSchema() {
        operations()
                .forEach((pointer, operation) -> {
                    boolean post = pointer.endsWith("/post");
                    assertThat(operation.has("requestBody")).as(pointer).isEqualTo(post);
                    if (post) {
                        String body = pointer + "/requestBody/content/application~1json";
                        JsonNode examples = DOCUMENT.at(body + "/examples");
                        assertThat(examples.size()).as(pointer).isPositive();
                        for (JsonNode example : examples) {
                            assertThat(example.path("summary").asString()).as(pointer).isNotBlank();
                            assertThat(faults(body + "/schema", example.path("value")))
                                    .as(body)
                                    .isEmpty();
                        }
                    }
                    JsonNode parameters = operation.path("parameters");
                    for (int i = 0; i < parameters.size(); i++) {
                        String parameter = pointer + "/parameters/" + i;
                        JsonNode example = DOCUMENT.at(parameter + "/example");
                        assertThat(example.isMissingNode()).as(parameter).isFalse();
                        assertThat(faults(parameter + "/schema", example)).as(parameter).isEmpty();
                    }
                    long inPath = pointer.chars().filter(c -> c == '{').count();
                    assertThat(
                                    parameters
                                            .valueStream()
                                            .filter(p -> p.path("in").asString().equals("path")))
                            .as(pointer)
                            .hasSize((int) inPath);
                });
    }

    @Test
    void everyExampleFitsItsSchema() {
        List<Media> all = media();
        assertThat(all).hasSizeGreaterThan(30);
        for (Media media : all) {
            for (JsonNode example : DOCUMENT.at(media.examples())) {
                JsonNode value = example.path("value");
                assertThat(faults(media.schema(), value)).as(media.examples()).isEmpty();
                if (!media.event().isEmpty()) {
                    for (String event : events(value.asString())) {
                        assertThat(faults(media.event(), OpenAiSchema.read(event)))
                                .as(event)
                                .isEmpty();
                    }
                }
            }
        }
    }

    /// The JSON of a stream of events.
    private static List<String> events(String stream) {
        assertThat(stream).endsWith("\n\n");
        List<String> all =
                stream.lines()
                        .filter(line -> line.startsWith("data: {"))
                        .map(line -> line.substring("data: ".length()))
                        .toList();
        assertThat(all).isNotEmpty();
        return all;
    }

    /// Where the document gives an answer of OpenAI's interface, it is one of OpenAI's.
    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions, post, CreateChatCompletionResponse, CreateChatCompletionStreamResponse",
        "/v1/completions, post, CreateCompletionResponse, CreateCompletionStreamResponse",
        "/v1/responses, post, Response, ResponseStreamEvent",
        "/v1/models, get, ListNimModelsResponse,",
        "'/v1/models/{model}', get, NimModel,"
    })
    void answersAreOpenAis(String path, String method, String schema, @Nullable String event) {
        JsonNode operation = DOCUMENT.path("paths").path(path).path(method);
        JsonNode content = operation.path("responses").path("200").path("content");
        JsonNode examples = content.path("application/json").path("examples");
        assertThat(examples.size()).isPositive();
        examples.forEach(example -> OpenAiSchema.check(schema, example.path("value").toString()));
        if (event != null) {
            for (JsonNode example : content.path("text/event-stream").path("examples")) {
                events(example.path("value").asString())
                        .forEach(data -> OpenAiSchema.check(event, data));
            }
        }
        operation
                .path("responses")
                .properties()
                .forEach(answer -> {
                    if (!answer.getKey().equals("200")) {
                        for (JsonNode example :
                                resolved(answer.getValue())
                                        .path("content")
                                        .path("application/json")
                                        .path("examples")) {
                            OpenAiSchema.check("ErrorResponse", example.path("value").toString());
                        }
                    }
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'model': 'm'}",
                "{'model': 'm', 'messages': []}",
                "{'model': 'm', 'messages': [{'role': 'user'}]}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'temprature': 1}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'temperature': 2.5}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'n': 0}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'stop': [1]}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'top_logprobs': 21}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'logit_bias': {'a': 1}}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'response_format': {'type': 'xml'}}",
                "{'model': 'm', 'messages': [{'role': 'user', 'content': 'a'}], 'nvext': {'top_q': 1}}"
            })
    void aChatThatIsRefusedDoesNotFit(String request) {
        assertThat(
                        faults(
                                "/components/schemas/ChatCompletionRequest",
                                OpenAiSchema.read(request.replace('\'', '"'))))
                .isNotEmpty();
    }
}
