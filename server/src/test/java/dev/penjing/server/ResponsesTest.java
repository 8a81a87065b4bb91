package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.Progress;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/responses` over the bundled teacher. Requests are written with ' for ".
class ResponsesTest {
    private static final String WEATHER =
            "'tools': [{'type': 'function', 'name': 'weather', 'strict': true, 'parameters': {'const': {'town': 'Ulm'}}}]";

    /// What our own document says of a response.
    private static final Schema OURS =
            OpenAiSchema.schema(
                    (ObjectNode) OpenAiSchema.resource("openapi.json"),
                    "/components/schemas/ResponseObject");

    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static ServedModels models;
    private static PenjingServer server;

    @BeforeAll
    static void start() {
        models = teacher();
        models.awaitLoaded();
        server = PenjingServer.start(onAnyPort(ServerOptions.DEFAULT.shutdown()), models);
    }

    private static ServedModels teacher() {
        ServedModel teacher =
                new ServedModel(
                        "teacher", Path.of("../teacher"), EngineOptions.DEFAULT.withThreads(1));
        return new ServedModels(
                List.of(teacher), new Admission(16, 4096), Progress.NONE, (line, failure) -> {});
    }

    private static ServerOptions onAnyPort(Duration shutdown) {
        return ServerOptions.DEFAULT.with(o -> o.port(0).shutdown(shutdown));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(server.address() + path));
    }

    private static HttpResponse<String> send(HttpRequest request) {
        try {
            return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// @param fields beside the model, at temperature 0 unless they say otherwise
    private static HttpResponse<String> post(String fields) {
        String json = "{'model': 'teacher', 'temperature': 0, %s}".formatted(fields);
        return send(
                request("/v1/responses")
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json.replace('\'', '"')))
                        .build());
    }

    /// A response in one piece, which is as OpenAI's specification says.
    private static JsonNode respond(String fields) {
        HttpResponse<String> answer = post(fields);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        OpenAiSchema.check("Response", answer.body());
        JsonNode response = OpenAiSchema.read(answer.body());
        assertThat(OpenAiSchema.faults(OURS, response)).isEmpty();
        return response;
    }

    /// The events of a streamed response, each as OpenAI's specification says.
    private static List<JsonNode> stream(String fields) {
        HttpResponse<String> answer = post(fields + ", 'stream': true");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type").orElseThrow())
                .startsWith("text/event-stream");
        List<JsonNode> events = new ArrayList<>();
        for (String block : answer.body().split("\n\n")) {
            String[] lines = block.split("\n");
            assertThat(lines).hasSize(2);
            assertThat(lines[1]).startsWith("data: ");
            String data = lines[1].substring("data: ".length());
            OpenAiSchema.check("ResponseStreamEvent", data);
            JsonNode event = OpenAiSchema.read(data);
            assertThat(lines[0]).isEqualTo("event: " + event.path("type").asString());
            assertThat(event.path("sequence_number").asInt()).isEqualTo(events.size());
            events.add(event);
        }
        return events;
    }

    private static List<String> types(List<JsonNode> events) {
        List<String> types = new ArrayList<>();
        for (JsonNode event : events) {
            String type = event.path("type").asString();
            if (types.isEmpty() || !types.getLast().equals(type)) {
                types.add(type);
            }
        }
        return types;
    }

    private static String deltas(List<JsonNode> events, String type) {
        return events.stream()
                .filter(event -> event.path("type").asString().equals(type))
                .map(event -> event.path("delta").asString())
                .collect(Collectors.joining());
    }

    private static String text(JsonNode response) {
        return response.at("/output/0/content/0/text").asString();
    }

    private static HttpResponse<String> stored(String id, String method) {
        return send(
                request("/v1/responses/" + id)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build());
    }

    @Test
    void answersWithTheRequestRepeated() {
        JsonNode response =
                respond(
                        "'input': 'Who are you?', 'instructions': 'Be short.', 'metadata': {'a': 'b'}, 'user': 'me', 'max_output_tokens': 50, 'top_p': 0.5");
        assertThat(text(response)).contains("Penjing");
        assertThat(response.path("id").asString()).startsWith("resp_");
        assertThat(response.path("status").asString()).isEqualTo("completed");
        assertThat(response.path("completed_at").asLong())
                .isGreaterThanOrEqualTo(response.path("created_at").asLong());
        assertThat(response.path("model").asString()).isEqualTo("teacher");
        assertThat(response.path("instructions").asString()).isEqualTo("Be short.");
        assertThat(response.at("/metadata/a").asString()).isEqualTo("b");
        assertThat(response.path("user").asString()).isEqualTo("me");
        assertThat(response.path("max_output_tokens").asInt()).isEqualTo(50);
        assertThat(response.path("temperature").asDouble()).isZero();
        assertThat(response.path("top_p").asDouble()).isEqualTo(0.5);
        assertThat(response.path("tool_choice").asString()).isEqualTo("auto");
        assertThat(response.at("/text/format/type").asString()).isEqualTo("text");
        assertThat(response.at("/output/0/status").asString()).isEqualTo("completed");
        assertThat(response.path("output")).hasSize(1);
        JsonNode usage = response.path("usage");
        assertThat(usage.path("input_tokens").asInt()).isGreaterThan(10);
        assertThat(usage.path("output_tokens").asInt()).isBetween(5, 50);
        assertThat(usage.path("total_tokens").asInt())
                .isEqualTo(
                        usage.path("input_tokens").asInt() + usage.path("output_tokens").asInt());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'Where does Cora live?'",
                "[{'role': 'user', 'content': 'Where does Cora live?'}]",
                "[{'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Where does '}, {'type': 'input_text', 'text': 'Cora live?'}]}]"
            })
    void readsEveryFormOfInput(String input) {
        JsonNode response = respond("'input': " + input);
        assertThat(text(response)).isEqualTo("Cora lives in Larkwell.");
        assertThat(response.at("/usage/input_tokens"))
                .isEqualTo(respond("'input': 'Where does Cora live?'").at("/usage/input_tokens"));
    }

    @Test
    void streamsWhatItWouldAnswerInOnePiece() {
        JsonNode whole = respond("'input': 'Where does Cora live?'");
        List<JsonNode> events = stream("'input': 'Where does Cora live?'");
        assertThat(types(events))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        assertThat(deltas(events, "response.output_text.delta")).isEqualTo(text(whole));
        JsonNode first = events.getFirst().path("response");
        assertThat(first.path("status").asString()).isEqualTo("in_progress");
        assertThat(first.path("output")).isEmpty();
        assertThat(first.has("usage")).isFalse();
        JsonNode last = events.getLast().path("response");
        assertThat(last.path("id")).isEqualTo(first.path("id"));
        assertThat(last.path("status").asString()).isEqualTo("completed");
        assertThat(text(last)).isEqualTo(text(whole));
        assertThat(last.at("/usage/output_tokens")).isEqualTo(whole.at("/usage/output_tokens"));
        assertThat(events.get(events.size() - 2).path("item")).isEqualTo(last.at("/output/0"));
    }

    @Test
    void tellsProbabilitiesIfAsked() {
        String fields =
                "'input': 'Where does Cora live?', 'top_logprobs': 2, 'include': ['message.output_text.logprobs', 'reasoning.encrypted_content']";
        JsonNode entries = respond(fields).at("/output/0/content/0/logprobs");
        String said = "";
        for (JsonNode entry : entries) {
            said += entry.path("token").asString();
            assertThat(entry.path("logprob").asDouble()).isLessThanOrEqualTo(0);
            assertThat(entry.path("top_logprobs")).hasSize(2);
            assertThat(entry.at("/top_logprobs/0/token")).isEqualTo(entry.path("token"));
        }
        assertThat(said).startsWith("Cora lives in Larkwell.");
        List<JsonNode> events = stream(fields);
        int streamed = 0;
        for (JsonNode event : events) {
            if (event.path("type").asString().equals("response.output_text.delta")) {
                streamed += event.path("logprobs").size();
            }
        }
        JsonNode last = events.getLast().at("/response/output/0/content/0/logprobs");
        assertThat(last).hasSize(streamed);
        assertThat(streamed).isPositive();
        assertThat(respond("'input': 'Hello!'").at("/output/0/content/0/logprobs")).isEmpty();
    }

    @Test
    void keepsToASchema() {
        String format =
                "{'type': 'json_schema', 'name': 'person', 'strict': true, 'schema': {'type': 'object', 'properties': {'name': {'enum': ['Cora', 'Ben']}, 'old': {'type': 'boolean'}}, 'required': ['name', 'old'], 'additionalProperties': false}}";
        JsonNode response =
                respond("'input': 'Who are you?', 'text': {'format': %s}".formatted(format));
        JsonNode person = OpenAiSchema.read(text(response));
        assertThat(person.path("name").asString()).isIn("Cora", "Ben");
        assertThat(person.path("old").isBoolean()).isTrue();
        assertThat(response.at("/text/format"))
                .isEqualTo(OpenAiSchema.read(format.replace('\'', '"')));
    }

    @Test
    void callsTheFunctionThatIsNamed() {
        String fields =
                "'input': 'Hello!', 'tool_choice': {'type': 'function', 'name': 'weather'}, "
                        + WEATHER;
        List<JsonNode> events = stream(fields);
        assertThat(types(events))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed");
        JsonNode call = events.getLast().at("/response/output/0");
        checkCall(call);
        assertThat(deltas(events, "response.function_call_arguments.delta"))
                .isEqualTo(call.path("arguments").asString());
        JsonNode whole = respond(fields);
        assertThat(whole.path("output")).hasSize(1);
        checkCall(whole.at("/output/0"));
        assertThat(whole.at("/tools/0/strict").asBoolean()).isTrue();
        assertThat(whole.at("/tool_choice/name").asString()).isEqualTo("weather");
    }

    private static void checkCall(JsonNode call) {
        assertThat(call.path("type").asString()).isEqualTo("function_call");
        assertThat(call.path("status").asString()).isEqualTo("completed");
        assertThat(call.path("name").asString()).isEqualTo("weather");
        assertThat(call.path("call_id").asString()).startsWith("call_");
        JsonNode arguments = OpenAiSchema.read(call.path("arguments").asString());
        assertThat(arguments.path("town").asString()).isEqualTo("Ulm");
    }

    @Test
    void takesTheResultOfACall() {
        JsonNode called = respond("'input': 'Hello!', 'tool_choice': 'required', " + WEATHER);
        JsonNode call = called.at("/output/0");
        checkCall(call);
        String id = call.path("call_id").asString();
        String result =
                "{'type': 'function_call_output', 'call_id': '%s', 'output': 'fog'}".formatted(id);
        String whole =
                "'input': [{'role': 'user', 'content': 'Hello!'}, %s, %s]".formatted(call, result);
        JsonNode sent = respond(whole + ", 'max_output_tokens': 8, 'store': false");
        JsonNode kept =
                respond(
                        "'input': [%s], 'previous_response_id': '%s', 'max_output_tokens': 8"
                                .formatted(result, called.path("id").asString()));
        assertThat(kept.at("/usage/input_tokens")).isEqualTo(sent.at("/usage/input_tokens"));
        assertThat(text(kept)).isEqualTo(text(sent)).isNotEmpty();
        HttpResponse<String> lost = post("'input': [%s]".formatted(result));
        assertThat(lost.statusCode()).isEqualTo(400);
        assertThat(lost.body()).contains("call_id");
    }

    @Test
    void continuesWhatItKept() {
        JsonNode first = respond("'input': 'Where does Cora live?', 'instructions': 'Be kind.'");
        String id = first.path("id").asString();
        JsonNode second =
                respond(
                        "'input': 'And what work does she do?', 'previous_response_id': '%s'"
                                .formatted(id));
        assertThat(text(second)).isEqualTo("She is the smith.");
        assertThat(second.path("previous_response_id").asString()).isEqualTo(id);
        // instructions are not carried over
        assertThat(second.path("instructions").isNull()).isTrue();
        JsonNode sent =
                respond(
                        "'input': [{'role': 'user', 'content': 'Where does Cora live?'}, {'role': 'assistant', 'content': 'Cora lives in Larkwell.'}, {'role': 'user', 'content': 'And what work does she do?'}]");
        assertThat(second.at("/usage/input_tokens")).isEqualTo(sent.at("/usage/input_tokens"));
        HttpResponse<String> unknown =
                post("'input': 'Hello!', 'previous_response_id': 'resp_unknown'");
        assertThat(unknown.statusCode()).isEqualTo(400);
        assertThat(unknown.body()).contains("\"code\":\"previous_response_not_found\"");
    }

    @Test
    void givesBackAndForgetsWhatItKept() {
        HttpResponse<String> made = post("'input': 'Hello!'");
        String id = OpenAiSchema.read(made.body()).path("id").asString();
        assertThat(stored(id, "GET").body()).isEqualTo(made.body());
        List<JsonNode> events = stream("'input': 'Hello!'");
        JsonNode last = events.getLast().path("response");
        assertThat(OpenAiSchema.read(stored(last.path("id").asString(), "GET").body()))
                .isEqualTo(last);
        HttpResponse<String> deleted = stored(id, "DELETE");
        assertThat(deleted.statusCode()).isEqualTo(200);
        assertThat(deleted.body())
                .isEqualTo(
                        "{\"id\":\"%s\",\"object\":\"response\",\"deleted\":true}".formatted(id));
        assertThat(stored(id, "DELETE").statusCode()).isEqualTo(404);
        HttpResponse<String> gone = stored(id, "GET");
        assertThat(gone.statusCode()).isEqualTo(404);
        OpenAiSchema.check("ErrorResponse", gone.body());
        HttpResponse<String> put = stored(id, "PUT");
        assertThat(put.statusCode()).isEqualTo(405);
        assertThat(put.headers().firstValue("allow")).hasValue("DELETE, GET");
    }

    @Test
    void keepsNothingIfToldSo() {
        String id = respond("'input': 'Hello!', 'store': false").path("id").asString();
        assertThat(stored(id, "GET").statusCode()).isEqualTo(404);
    }

    @Test
    void saysThatAnAnswerIsIncomplete() {
        String fields = "'input': 'Where does Cora live?', 'max_output_tokens': 2";
        JsonNode whole = respond(fields);
        assertThat(whole.path("status").asString()).isEqualTo("incomplete");
        assertThat(whole.at("/incomplete_details/reason").asString())
                .isEqualTo("max_output_tokens");
        assertThat(whole.at("/output/0/status").asString()).isEqualTo("incomplete");
        assertThat(whole.path("completed_at").isNull()).isTrue();
        assertThat(whole.at("/usage/output_tokens").asInt()).isEqualTo(2);
        JsonNode last = stream(fields).getLast();
        assertThat(last.path("type").asString()).isEqualTo("response.incomplete");
        assertThat(text(last.path("response"))).isEqualTo(text(whole));
        JsonNode cut =
                respond(
                        "'input': 'Hello!', 'max_output_tokens': 2, 'tool_choice': {'type': 'function', 'name': 'weather'}, "
                                + WEATHER);
        assertThat(cut.path("status").asString()).isEqualTo("incomplete");
        assertThat(cut.at("/output/0/type").asString()).isEqualTo("function_call");
        assertThat(cut.at("/output/0/status").asString()).isEqualTo("incomplete");
    }

    @Test
    void leavesOutOldTurnsOnlyIfAllowed() {
        String turns =
                "{'role': 'user', 'content': 'Where does Cora live?'}, {'role': 'assistant', 'content': 'Cora lives in Larkwell.'}, "
                        .repeat(20);
        String input = "'input': [%s{'role': 'user', 'content': 'Who are you?'}]".formatted(turns);
        HttpResponse<String> refused = post(input + ", 'stream': true");
        assertThat(refused.statusCode()).isEqualTo(400);
        OpenAiSchema.check("ErrorResponse", refused.body());
        JsonNode error = OpenAiSchema.read(refused.body()).path("error");
        assertThat(error.path("code").asString()).isEqualTo("context_length_exceeded");
        assertThat(error.path("param").asString()).isEqualTo("input");
        JsonNode response = respond(input + ", 'truncation': 'auto', 'max_output_tokens': 40");
        assertThat(text(response)).contains("Penjing");
        assertThat(response.path("truncation").asString()).isEqualTo("auto");
        assertThat(response.at("/usage/input_tokens").asInt()).isBetween(150, 216);
        String alone = "'input': '%s', 'truncation': 'auto'".formatted("Cora. ".repeat(200));
        assertThat(post(alone).statusCode()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '^',
            textBlock =
                    """
                    'input': 'x', 'response_format': {'type': 'text'} | response_format
                    'input': 'x', 'max_tokens': 5 | max_tokens
                    'input': 'x', 'n': 2 | n
                    'input': 'x', 'background': true | background
                    'input': 'x', 'conversation': 'conv_1' | conversation
                    'input': 'x', 'truncation': 'old' | truncation
                    'input': 'x', 'top_logprobs': 3 | top_logprobs
                    'input': 'x', 'include': ['all'] | include
                    'input': 'x', 'metadata': {'a': 1} | metadata.a
                    'input': 'x', 'text': {'format': {'type': 'xml'}} | text.format.type
                    'input': 'x', 'text': {'format': {'type': 'json_schema', 'name': 'a'}} | text.format.schema
                    'input': 'x', 'tools': [{'type': ''}] | tools[0].type
                    'input': 'x', 'tool_choice': 'required' | tool_choice
                    'instructions': 'x' | input
                    'input': [] | input
                    'input': 5 | input
                    'input': [{'role': 'user'}] | input[0].content
                    'input': [{'role': 'critic', 'content': 'x'}] | input[0].role
                    'input': [{'role': 'user', 'content': [{'type': 'input_image', 'image_url': 'x'}]}] | input[0].content[0].type
                    'input': [{'type': 'item_reference', 'id': 'msg_1'}] | input
                    'input': [{'type': 'function_call', 'call_id': 'a', 'name': 'b', 'arguments': '{'}] | input[0].arguments
                    """)
    void refusesWhatItDoesNotKnow(String fields, String parameter) {
        HttpResponse<String> answer = post(fields);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        OpenAiSchema.check("ErrorResponse", answer.body());
        assertThat(OpenAiSchema.read(answer.body()).at("/error/param").asString())
                .isEqualTo(parameter);
    }

    @Test
    void samplesAsNimAndVllmAreAsked() {
        String fields =
                "'input': 'Tell me a little story.', 'temperature': 1.5, 'seed': 7, 'nvext': {'top_k': 40}";
        String json = "{'model': 'teacher', %s}".formatted(fields).replace('\'', '"');
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            HttpResponse<String> answer =
                    send(
                            request("/v1/responses")
                                    .header("content-type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofString(json))
                                    .build());
            texts.add(text(OpenAiSchema.read(answer.body())));
        }
        assertThat(texts.get(0)).isNotEmpty().isEqualTo(texts.get(1));
        assertThat(text(respond("'input': 'Where does Cora live?', 'stop': ' in'")))
                .isEqualTo("Cora lives");
    }

    @Test
    void saysInTheStreamThatItFailed() throws IOException, InterruptedException {
        ServedModels own = teacher();
        own.awaitLoaded();
        PenjingServer closing = PenjingServer.start(onAnyPort(Duration.ZERO), own);
        String json =
                "{'model': 'teacher', 'input': 'Hello!', 'stream': true, 'ignore_eos': true}"
                        .replace('\'', '"');
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(closing.address() + "/v1/responses"))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build();
        // several at once, so that none is complete before the server is closed
        List<InputStream> streams = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            streams.add(CLIENT.send(request, HttpResponse.BodyHandlers.ofInputStream()).body());
        }
        closing.close();
        List<String> types = new ArrayList<>();
        for (InputStream stream : streams) {
            String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            String last = text.substring(text.lastIndexOf("data: ") + "data: ".length());
            OpenAiSchema.check("ResponseStreamEvent", last);
            types.add(OpenAiSchema.read(last).path("type").asString());
        }
        assertThat(types).contains("response.failed");
    }
}
