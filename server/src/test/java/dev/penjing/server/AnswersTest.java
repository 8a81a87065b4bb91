package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Answers and their streams, each held against OpenAI's schema.
class AnswersTest {
    private static final List<String> QUESTIONS =
            List.of("Hello!", "Where does Cora live?", "Tell me a little story.", "Who are you?");

    /// How long Linux puts an acknowledgement off, in nanoseconds.
    private static final long PUT_OFF = 40_000_000;

    private static TestServer server;
    private static Wire wire;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        wire = new Wire(server.port());
    }

    @AfterAll
    static void end() {
        wire.close();
        server.close();
    }

    private static Wire.Answer chat(String question, String more) {
        Wire.Answer answer = wire.chat(Wire.ask(question, more));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        if (more.contains("\"stream\": true")) {
            assertThat(answer.body()).endsWith("data: [DONE]\n\n");
            answer.events()
                    .forEach(event ->
                            OpenAiSchema.check(
                                    "CreateChatCompletionStreamResponse", event.toString()));
        } else {
            OpenAiSchema.check("CreateChatCompletionResponse", answer.body());
        }
        return answer;
    }

    private static JsonNode choice(Wire.Answer answer) {
        return answer.json().path("choices").path(0);
    }

    private static String text(Wire.Answer answer) {
        return choice(answer).path("message").path("content").asString();
    }

    private static String streamed(Wire.Answer answer) {
        StringBuilder text = new StringBuilder();
        for (JsonNode event : answer.events()) {
            text.append(event.path("choices").path(0).path("delta").path("content").asString(""));
        }
        return text.toString();
    }

    @Test
    void aStreamHoldsWhatTheWholeAnswerDoes() {
        for (String question : QUESTIONS) {
            Wire.Answer whole = chat(question, "");
            Wire.Answer stream =
                    chat(
                            question,
                            ", \"stream\": true, \"stream_options\": {\"include_usage\": true}");
            assertThat(streamed(stream)).isEqualTo(text(whole)).isNotEmpty();
            List<JsonNode> events = stream.events();
            assertThat(events.stream().map(e -> e.path("id").asString()).distinct()).hasSize(1);
            assertThat(events.stream().map(e -> e.path("created").asLong()).distinct()).hasSize(1);
            assertThat(events.getFirst().at("/choices/0/delta/role").asString())
                    .isEqualTo("assistant");
            assertThat(events.stream().filter(e -> e.at("/choices/0/delta").has("role")))
                    .hasSize(1);
            assertThat(events.getLast().path("choices").isEmpty()).isTrue();
            assertThat(events.getLast().path("usage").path("total_tokens"))
                    .isEqualTo(whole.json().path("usage").path("total_tokens"));
            JsonNode end = events.get(events.size() - 2);
            assertThat(end.at("/choices/0/finish_reason").asString())
                    .isEqualTo(choice(whole).path("finish_reason").asString())
                    .isEqualTo("stop");
            assertThat(end.at("/choices/0/delta").isEmpty()).isTrue();
            assertThat(events).noneMatch(e -> e.has("error"));
        }
    }

    /// Stop texts are not looked for in the first tokens, which no end of text is among.
    @ParameterizedTest
    @ValueSource(strings = {"\"min_tokens\": %d", "\"nvext\": {\"min_tokens\": %d}"})
    void noAnswerIsShorterThanItHasToBe(String field) {
        int own = chat("Hello!", "").json().at("/usage/completion_tokens").asInt();
        String stops = ", \"stop\": [\"e\", \"o\", \"a\", \"i\"], \"max_tokens\": 200, ";
        assertThat(text(chat("Hello!", stops + field.formatted(0)))).hasSizeLessThan(10);
        for (int least : new int[] {own + 20, 200}) {
            String more = ", \"max_tokens\": 200, " + field.formatted(least);
            Wire.Answer free = chat("Hello!", more);
            assertThat(free.json().at("/usage/completion_tokens").asInt())
                    .isGreaterThanOrEqualTo(least);
            Wire.Answer stopped = chat("Hello!", stops + field.formatted(least));
            assertThat(stopped.json().at("/usage/completion_tokens").asInt())
                    .isGreaterThanOrEqualTo(least);
            assertThat(text(free)).startsWith(text(stopped));
            assertThat(streamed(chat("Hello!", ", \"stream\": true" + more))).isEqualTo(text(free));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void logprobsConcatenateToTheText(boolean stream) {
        for (String stop : new String[] {"", ", \"stop\": [\"ell\", \"e in\"]"}) {
            for (String question : QUESTIONS) {
                Wire.Answer answer =
                        chat(
                                question,
                                ", \"logprobs\": true, \"top_logprobs\": 3"
                                        + stop
                                        + (stream ? ", \"stream\": true" : ""));
                List<JsonNode> entries = new ArrayList<>();
                if (stream) {
                    answer.events()
                            .forEach(
                                    e -> e.at("/choices/0/logprobs/content").forEach(entries::add));
                } else {
                    choice(answer).at("/logprobs/content").forEach(entries::add);
                }
                StringBuilder tokens = new StringBuilder();
                for (JsonNode entry : entries) {
                    tokens.append(entry.path("token").asString());
                    assertThat(entry.path("logprob").asDouble()).isLessThanOrEqualTo(0);
                    assertThat(entry.path("top_logprobs")).hasSize(3);
                    assertThat(entry.path("top_logprobs").path(0).path("logprob").asDouble())
                            .isGreaterThanOrEqualTo(entry.path("logprob").asDouble());
                }
                String text = stream ? streamed(answer) : text(answer);
                if (stop.isEmpty()) {
                    assertThat(tokens.toString()).isEqualTo(text);
                } else {
                    assertThat(text).doesNotContain("ell");
                    assertThat(tokens.toString()).startsWith(text);
                }
            }
        }
    }

    @Test
    void logitBiasBans() {
        String plain = text(chat("Where does Cora live?", ""));
        assertThat(plain).contains("Cora");
        StringBuilder ban = new StringBuilder();
        for (String word : new String[] {" Cora", "Cora", " lives", "C", " C"}) {
            int[] ids = server.engine().tokenizer().encode(word);
            ban.append(ban.isEmpty() ? "" : ", ").append("\"" + ids[0] + "\": -100");
        }
        String banned = text(chat("Where does Cora live?", ", \"logit_bias\": {" + ban + "}"));
        assertThat(banned).doesNotContain("Cora").doesNotContain(" lives");
    }

    @Test
    void aSeedRepeats() {
        String more = ", \"temperature\": 1.5, \"seed\": 7, \"n\": 3, \"max_tokens\": 20";
        String request = Wire.ask("Tell me a little story.", more);
        Wire.Answer first = wire.chat(request);
        Wire.Answer second = wire.chat(request);
        assertThat(first.status()).as(first.body()).isEqualTo(200);
        assertThat(first.json().path("choices")).isEqualTo(second.json().path("choices"));
        assertThat(first.json().path("choices")).hasSize(3);
        assertThat(first.json().at("/choices/0/message/content"))
                .isNotEqualTo(first.json().at("/choices/1/message/content"));
    }

    @Test
    void structuredAnswers() {
        String schema =
                "{\"type\": \"object\", \"properties\": {\"place\": {\"type\": \"string\", \"maxLength\": 10}, \"known\": {\"type\": \"boolean\"}}, \"required\": [\"place\", \"known\"], \"additionalProperties\": false}";
        Wire.Answer answer =
                chat(
                        "Where does Cora live?",
                        ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"place\", \"strict\": true, \"schema\": "
                                + schema
                                + "}}");
        JsonNode value = Wire.JSON.readTree(text(answer));
        assertThat(value.path("place").isString() && value.path("known").isBoolean()).isTrue();
        for (String form :
                new String[] {"\"guided_json\": %s", "\"nvext\": {\"guided_json\": %s}"}) {
            Wire.Answer same = chat("Where does Cora live?", ", " + form.formatted(schema));
            assertThat(text(same)).isEqualTo(text(answer));
        }
        assertThat(text(chat("Is it?", ", \"guided_choice\": [\"yes\", \"no\"]")))
                .isIn("yes", "no");
        assertThat(text(chat("When?", ", \"guided_regex\": \"[0-9]{4}-[0-9]{2}\"")))
                .matches("[0-9]{4}-[0-9]{2}");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void toolsThatMustBeCalled(boolean stream) {
        String tools =
                ", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"find\", \"parameters\": {\"const\": {\"a\": 1}}}}]"
                        + (stream ? ", \"stream\": true" : "");
        for (String choice :
                new String[] {
                    "\"required\"", "{\"type\": \"function\", \"function\": {\"name\": \"find\"}}"
                }) {
            Wire.Answer answer = chat("Where?", tools + ", \"tool_choice\": " + choice);
            String name = "";
            StringBuilder arguments = new StringBuilder();
            String reason = "";
            if (stream) {
                for (JsonNode event : answer.events()) {
                    for (JsonNode call : event.at("/choices/0/delta/tool_calls")) {
                        name += call.at("/function/name").asString("");
                        arguments.append(call.at("/function/arguments").asString(""));
                    }
                    reason = event.at("/choices/0/finish_reason").asString(reason);
                }
            } else {
                JsonNode call = choice(answer).at("/message/tool_calls/0");
                assertThat(call.path("id").asString()).startsWith("call_");
                name = call.at("/function/name").asString();
                arguments.append(call.at("/function/arguments").asString());
                reason = choice(answer).path("finish_reason").asString();
            }
            assertThat(name).isEqualTo("find");
            assertThat(Wire.JSON.readTree(arguments.toString()).path("a").asInt()).isEqualTo(1);
            assertThat(reason).isEqualTo("tool_calls");
        }
    }

    @Test
    void completions() {
        Wire.Answer whole =
                wire.send(
                        wire.post(
                                "/v1/completions",
                                "{\"model\": \"teacher\", \"prompt\": [\"The owl\", \"Cora lives\"], \"n\": 2, \"best_of\": 3, \"seed\": 1, \"max_tokens\": 6, \"logprobs\": 2}"));
        assertThat(whole.status()).as(whole.body()).isEqualTo(200);
        OpenAiSchema.check("CreateCompletionResponse", whole.body());
        assertThat(whole.json().path("choices")).hasSize(4);
        Wire.Answer echo =
                wire.send(
                        wire.post(
                                "/v1/completions",
                                "{\"model\": \"teacher\", \"prompt\": \"Cora lives in\", \"echo\": true, \"max_tokens\": 0, \"logprobs\": 1}"));
        JsonNode logprobs = echo.json().at("/choices/0/logprobs");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < logprobs.path("tokens").size(); i++) {
            assertThat(logprobs.path("text_offset").get(i).asInt()).isEqualTo(text.length());
            text.append(logprobs.path("tokens").get(i).asString());
        }
        assertThat(text.toString()).isEqualTo("Cora lives in");
        Wire.Answer stream =
                wire.send(
                        wire.post(
                                "/v1/completions",
                                "{\"model\": \"teacher\", \"prompt\": \"Cora lives in\", \"temperature\": 0, \"echo\": true, \"max_tokens\": 5, \"stream\": true, \"stream_options\": {\"include_usage\": true}}"));
        assertThat(stream.body()).endsWith("data: [DONE]\n\n");
        stream.events()
                .forEach(e -> OpenAiSchema.check("CreateCompletionStreamResponse", e.toString()));
        assertThat(stream.events().getFirst().at("/choices/0/text").asString())
                .isEqualTo("Cora lives in");
    }

    @Test
    void textToIdsAndBack() {
        Wire.Answer ids =
                wire.send(wire.post("/tokenize", "{\"prompt\": \"Cora lives in Larkwell.\"}"));
        assertThat(ids.json().path("count").asInt()).isEqualTo(ids.json().path("tokens").size());
        Wire.Answer text =
                wire.send(
                        wire.post(
                                "/detokenize", "{\"tokens\": " + ids.json().path("tokens") + "}"));
        assertThat(text.json().path("prompt").asString()).isEqualTo("Cora lives in Larkwell.");
    }

    @Test
    void modelsAndManagement() {
        OpenAiSchema.check("ListNimModelsResponse", wire.get("/v1/models").body());
        OpenAiSchema.check("NimModel", wire.get("/v1/models/teacher").body());
        assertThat(wire.get("/v1/health/live").json().path("object").asString())
                .isEqualTo("health.response");
        assertThat(wire.get("/v1/health/ready").json().path("message").asString())
                .isEqualTo("Service is ready.");
        assertThat(wire.get("/v1/version").json().has("release")).isTrue();
        assertThat(wire.get("/v1/license").json().path("content").asString()).contains("Apache");
        assertThat(wire.get("/v1/metadata").json().at("/modelInfo/0/shortName").asString())
                .isEqualTo("teacher");
        assertThat(wire.get("/v1/manifest").json().path("manifest_file").asString())
                .contains("model.safetensors")
                .contains("sha256:");
        assertThat(wire.get("/v1/metrics").body()).contains("vllm:num_requests_running");
        for (String page :
                new String[] {
                    "/", "/docs", "/openapi.json", "/playground/app.js", "/docs/docs.css"
                }) {
            assertThat(wire.get(page).status()).as(page).isEqualTo(200);
        }
    }

    /// A client may put an acknowledgement off for 40 ms. If the server waited for it, every stream
    /// would take that much longer than the same answer in one piece. So one stream that is as quick
    /// shows that it does not, however busy the machine is: it is tried until there is one.
    @Test
    void aStreamDoesNotWaitForAcknowledgements() throws IOException {
        String more = ", \"max_tokens\": 4";
        long stream = Long.MAX_VALUE;
        long whole = Long.MAX_VALUE;
        try (Socket socket = wire.open()) {
            socket.setTcpNoDelay(true);
            // the first ones of a connection are acknowledged at once
            for (int i = 0; i < 20; i++) {
                nanos(socket, more + ", \"stream\": true", "\r\n0\r\n\r\n");
            }
            for (int i = 0; i < 500 && (i < 20 || stream - whole >= PUT_OFF / 2); i++) {
                whole = Math.min(whole, nanos(socket, more, "}}"));
                stream =
                        Math.min(
                                stream,
                                nanos(socket, more + ", \"stream\": true", "\r\n0\r\n\r\n"));
            }
        }
        assertThat(stream - whole).isLessThan(PUT_OFF / 2);
    }

    /// How long an answer takes.
    ///
    /// @param end what it ends with
    private static long nanos(Socket socket, String more, String end) throws IOException {
        byte[] body = Wire.ask("Hello!", more).getBytes(StandardCharsets.UTF_8);
        byte[] head = Wire.head(body.length).getBytes(StandardCharsets.US_ASCII);
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        long start = System.nanoTime();
        socket.getOutputStream().write(request);
        StringBuilder answer = new StringBuilder();
        byte[] part = new byte[8192];
        while (!answer.toString().endsWith(end)) {
            int n = socket.getInputStream().read(part);
            assertThat(n).isPositive();
            answer.append(new String(part, 0, n, StandardCharsets.ISO_8859_1));
        }
        assertThat(answer).startsWith("HTTP/1.1 200");
        return System.nanoTime() - start;
    }
}
