package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is wrong with a request is said, with the field, as 4xx: never 500, never silence. Named
/// after the tests of vLLM and llama.cpp that they follow.
class RefusalsTest {
    private static TestServer server;
    private static Wire wire;

    @BeforeAll
    static void start() {
        server = TestServer.start(TestServer.Setup.USUAL, o -> o.strictFields(true));
        wire = new Wire(server.port());
    }

    @AfterAll
    static void end() {
        wire.close();
        server.close();
    }

    private static void refused(Wire.Answer answer, String parameter) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.parameter()).as(answer.body()).isEqualTo(parameter);
        assertThat(answer.json().path("error").path("type").asString())
                .isEqualTo("invalid_request_error");
        OpenAiSchema.check("ErrorResponse", answer.body());
        assertThat(answer.body()).doesNotContain("dev.penjing").doesNotContain("tools.jackson");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "[1]",
                "\"text\"",
                "12",
                "{",
                "{\"model\":}",
                "{} {}",
                "{\"model\": \"teacher\", \"model\": \"teacher\"}",
                "\u0000"
            })
    void nonObjectBody(String body) {
        for (String path : new String[] {"/v1/chat/completions", "/v1/completions", "/tokenize"}) {
            Wire.Answer answer = wire.send(wire.post(path, body));
            assertThat(answer.status()).as("%s: %s", body, answer.body()).isEqualTo(400);
            assertThat(answer.code()).isEqualTo("invalid_json");
        }
    }

    @Test
    void bodyThatIsNoUtf8() {
        byte[] body =
                "{\"model\": \"teach\u00e4\"}"
                        .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        Wire.Answer answer =
                wire.send(
                        wire.request("/v1/chat/completions")
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                                .build());
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.code()).isEqualTo("invalid_encoding");
    }

    /// No text of an answer could ever hold it.
    @ParameterizedTest
    @ValueSource(strings = {"\"\\ud83e\"", "[\"end\", \"\\udd89\"]", "[\"a\\udd89\\ud83eb\"]"})
    void stopOfHalfACharacter(String stop) {
        String fields = "{\"model\": \"teacher\", \"stop\": %s, %s}";
        for (String[] asked :
                new String[][] {
                    {
                        "/v1/chat/completions",
                        "\"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}]"
                    },
                    {"/v1/completions", "\"prompt\": \"Hello!\", \"max_tokens\": 4"},
                    {"/v1/responses", "\"input\": \"Hello!\""}
                }) {
            Wire.Answer answer = wire.send(wire.post(asked[0], fields.formatted(stop, asked[1])));
            refused(answer, "stop");
            assertThat(answer.body()).contains("half of a character");
            String whole = fields.formatted("\"\\ud83e\\udd89\"", asked[1]);
            assertThat(wire.send(wire.post(asked[0], whole)).status()).isEqualTo(200);
        }
    }

    @Test
    void bodyThatIsNestedDeep() {
        for (int depth : new int[] {70, 100_000}) {
            Wire.Answer answer = wire.chat("[".repeat(depth) + "]".repeat(depth));
            assertThat(answer.status()).isEqualTo(400);
        }
        String deep = "{\"model\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertThat(wire.chat(deep).code()).isEqualTo("invalid_json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "text/plain",
                "application/x-www-form-urlencoded",
                "application/json; charset=latin1"
            })
    void wrongContentType(String type) {
        Wire.Answer answer =
                wire.send(
                        wire.request("/v1/chat/completions")
                                .header("Content-Type", type)
                                .POST(HttpRequest.BodyPublishers.ofString(Wire.ask("Hello!", "")))
                                .build());
        assertThat(answer.status()).isEqualTo(415);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "null | messages",
                "\"text\" | messages",
                "[] | messages",
                "[123] | messages[0]",
                "[{}] | messages[0].role",
                "[{\"role\": 123, \"content\": \"a\"}] | messages[0].role",
                "[{\"role\": \"king\", \"content\": \"a\"}] | messages[0].role",
                "[{\"role\": \"user\"}] | messages[0].content",
                "[{\"role\": \"user\", \"content\": 123}] | messages[0].content",
                "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}] | messages[0].content[0].type",
                "[{\"role\": \"user\", \"content\": \"a\", \"colour\": 1}] | messages[0].colour",
                "[{\"role\": \"tool\", \"content\": \"a\"}] | messages[0].tool_call_id",
                "[{\"role\": \"assistant\"}] | messages[0].content",
            })
    void invalidChatRequest(String messages, String parameter) {
        refused(wire.chat("{\"model\": \"teacher\", \"messages\": " + messages + "}"), parameter);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"max_tokens\": 0 | max_tokens",
                "\"max_tokens\": 1.5 | max_tokens",
                "\"max_tokens\": \"5\" | max_tokens",
                "\"max_completion_tokens\": -2 | max_completion_tokens",
                "\"temperature\": 2.1 | temperature",
                "\"temperature\": -0.1 | temperature",
                "\"top_p\": 1.1 | top_p",
                "\"top_k\": -2 | top_k",
                "\"n\": 0 | n",
                "\"n\": 129 | n",
                "\"seed\": 1.5 | seed",
                "\"seed\": 99999999999999999999 | seed",
                "\"stop\": [1] | stop",
                "\"stream\": \"yes\" | stream",
                "\"logprobs\": true, \"top_logprobs\": 21 | top_logprobs",
                "\"logit_bias\": {\"a\": 1} | logit_bias",
                "\"logit_bias\": {\"99999\": 1} | logit_bias",
                "\"logit_bias\": {\"5\": 101} | logit_bias.5",
                "\"logit_bias\": [1] | logit_bias",
                "\"stop_token_ids\": [-1] | stop_token_ids",
                "\"stop_token_ids\": [\"a\"] | stop_token_ids",
                "\"stop_token_ids\": 5 | stop_token_ids",
                "\"presence_penalty\": 3 | presence_penalty",
                "\"response_format\": {\"type\": \"xml\"} | response_format.type",
                "\"response_format\": {\"type\": \"json_schema\"} | response_format.json_schema",
                "\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a b\"}} | response_format.json_schema.name",
                "\"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"a\", \"schema\": {\"type\": \"horse\"}}} | response_format.json_schema.schema",
                "\"guided_regex\": \"(\" | guided_regex",
                "\"guided_choice\": [\"\"] | guided_choice",
                "\"guided_regex\": \"a\", \"guided_choice\": [\"b\"] | response_format",
                "\"nvext\": {\"guided_regex\": \"[\"} | nvext.guided_regex",
                "\"nvext\": {\"foo\": 1} | nvext.foo",
                "\"tools\": [{\"type\": \"browser\"}] | tools[0].type",
                "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"a b\"}}] | tools[0].function.name",
                "\"tool_choice\": \"required\" | tool_choice",
                "\"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"x\"}} | tool_choice",
                "\"audio\": {\"voice\": \"a\"} | audio",
                "\"store\": true | store",
                "\"modalities\": [\"audio\"] | modalities",
                "\"min_tokens\": -1 | min_tokens",
                "\"min_tokens\": 1.5 | min_tokens",
                "\"min_tokens\": 6, \"max_tokens\": 5 | min_tokens",
                "\"nvext\": {\"min_tokens\": 5000} | min_tokens",
                "\"nvext\": {\"min_tokens\": \"5\"} | nvext.min_tokens",
                "\"colour\": \"green\" | colour",
            })
    void chatError(String field, String parameter) {
        refused(wire.chat(Wire.ask("Hello!", ", " + field)), parameter);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"max_tokens\": 5 | prompt",
                "\"prompt\": [] | prompt",
                "\"prompt\": \"\" | prompt",
                "\"prompt\": [[]] | prompt",
                "\"prompt\": [\"a\", \"\"] | prompt",
                "\"prompt\": [1, \"a\"] | prompt",
                "\"prompt\": [99999] | prompt",
                "\"prompt\": [[-1]] | prompt",
                "\"prompt\": {\"a\": 1} | prompt",
                "\"prompt\": true | prompt",
                "\"prompt\": \"a\", \"max_tokens\": 0 | max_tokens",
                "\"prompt\": \"a\", \"n\": 3, \"best_of\": 2 | best_of",
                "\"prompt\": \"a\", \"best_of\": 2, \"stream\": true | best_of",
                "\"prompt\": \"a\", \"logprobs\": -1 | logprobs",
                "\"prompt\": \"a\", \"min_tokens\": 17 | min_tokens",
                "\"prompt\": \"a\", \"suffix\": \"b\" | suffix",
                "\"prompt\": \"a\", \"messages\": [] | messages",
            })
    void completionError(String fields, String parameter) {
        refused(
                wire.send(wire.post("/v1/completions", "{\"model\": \"teacher\", " + fields + "}")),
                parameter);
    }

    @Test
    void unknownModel() {
        Wire.Answer answer =
                wire.chat(
                        "{\"model\": \"gpt-7\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}");
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.code()).isEqualTo("model_not_found");
        assertThat(answer.body()).contains("teacher").doesNotContain("gpt-7");
        assertThat(wire.get("/v1/models/gpt-7").status()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void contextSizeExceeded(boolean stream) {
        Wire.Answer answer =
                wire.chat(Wire.ask("owl ".repeat(400), stream ? ", \"stream\": true" : ""));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.code()).isEqualTo("context_length_exceeded");
        assertThat(answer.body()).contains("256").doesNotContain("data:");
    }

    @Test
    void invalidUriAndMethod() throws IOException {
        assertThat(wire.get("/v1/nothing").status()).isEqualTo(404);
        Wire.Answer get = wire.get("/v1/chat/completions");
        assertThat(get.status()).isEqualTo(405);
        assertThat(get.whole().headers().firstValue("allow")).contains("POST");
        // TRACE would give back what a proxy added
        String trace =
                wire.raw(
                        "TRACE /v1/models HTTP/1.1\r\nHost: a\r\nSecret: b\r\nConnection: close\r\n\r\n");
        assertThat(trace).startsWith("HTTP/1.1 4").doesNotContain("Secret");
        for (String line :
                new String[] {
                    "GARBAGE",
                    "GET",
                    "GET / HTTP/9.9",
                    "GET http://[ HTTP/1.1",
                    "\u0001\u0002 / HTTP/1.1"
                }) {
            String answer = wire.raw(line + "\r\nHost: a\r\nConnection: close\r\n\r\n");
            assertThat(answer).as(line).doesNotContain(" 500 ").doesNotContain("Exception");
        }
    }

    @Test
    void nullIsAsGoodAsAbsent() {
        Wire.Answer answer =
                wire.chat(
                        Wire.ask(
                                "Hello!",
                                ", \"stop\": null, \"n\": null, \"seed\": null, \"tools\": null, \"response_format\": null, \"logit_bias\": null, \"user\": null, \"max_tokens\": 5"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        OpenAiSchema.check("CreateChatCompletionResponse", answer.body());
    }
}
