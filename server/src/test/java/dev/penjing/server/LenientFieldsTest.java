package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.server.http.Cors;
import java.net.http.HttpRequest;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What clients of other servers send: taken where it changes nothing, and named.
class LenientFieldsTest {
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

    private static String ignored(Wire.Answer answer) {
        return answer.whole().headers().firstValue("x-penjing-ignored-fields").orElse("");
    }

    @Test
    void unknownFieldsAreNamed() {
        Wire.Answer answer =
                wire.chat(
                        Wire.ask(
                                "Hello!",
                                ", \"max_tokens\": 2, \"num_ctx\": 4096, \"keep_alive\": \"5m\", \"nothing\": null"));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(ignored(answer)).isEqualTo("num_ctx, keep_alive");
        assertThat(ignored(wire.chat(Wire.ask("Hello!", ", \"max_tokens\": 2")))).isEmpty();
    }

    private static String schema(String schema, boolean strict) {
        return Wire.ask(
                "Hello!",
                ", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"x\", \"strict\": %s, \"schema\": %s}}"
                        .formatted(strict, schema));
    }

    @Test
    void whatOfASchemaCannotBeObeyedIsNamed() {
        String schema = "{\"type\": \"boolean\", \"not\": {\"const\": true}}";
        Wire.Answer answer = wire.chat(schema(schema, false));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(ignored(answer)).isEqualTo("response_format.json_schema.schema#/not");
        Wire.Answer refused = wire.chat(schema(schema, true));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.body()).contains("'not'");
    }

    @Test
    void aFunctionWithoutParametersHasNoArguments() {
        Wire.Answer answer =
                wire.chat(
                        Wire.ask(
                                "Call it.",
                                ", \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"now\", \"parameters\": {\"type\": \"object\", \"properties\": {}}}}], \"tool_choice\": {\"type\": \"function\", \"function\": {\"name\": \"now\"}}"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        String arguments =
                answer.json()
                        .at("/choices/0/message/tool_calls/0/function/arguments")
                        .stringValue();
        assertThat(arguments).isIn("{}", "{ }");
    }

    /// As Codex sends them.
    @Test
    void toolsAndItemsOfTheirOwnServicesAreSkippedAndNamed() {
        Wire.Answer answer =
                wire.send(
                        wire.post(
                                "/v1/responses",
                                """
                                {"model": "teacher", "max_output_tokens": 16, "client_metadata": {"a": "b"},
                                 "tools": [{"type": "web_search"},
                                  {"type": "custom", "name": "patch", "format": {"type": "grammar"}},
                                  {"type": "namespace", "name": "n", "tools": []},
                                  {"type": "function", "name": "f", "parameters": {"type": "object"}}],
                                 "input": [{"role": "user", "content": "Hello!"},
                                  {"type": "reasoning", "summary": [], "encrypted_content": "x"},
                                  {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "x"},
                                  {"type": "item_reference", "id": "msg_1"}]}
                                """));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(ignored(answer).split(", "))
                .containsExactlyInAnyOrder(
                        "client_metadata",
                        "tools[0].type=web_search",
                        "tools[1].type=custom",
                        "tools[2].type=namespace",
                        "input[1].type=reasoning",
                        "input[2].type=custom_tool_call",
                        "input[3].type=item_reference");
        assertThat(answer.json().path("tools").size()).isEqualTo(1);
    }

    @Test
    void theirNamesOfFormsAndPenaltiesAreTaken() {
        Wire.Answer answer =
                wire.chat(
                        Wire.ask(
                                "Hello!",
                                ", \"repeat_penalty\": 1.1, \"structured_outputs\": {\"choice\": [\"yes\", \"no\"]}"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(ignored(answer)).isEmpty();
        assertThat(answer.json().at("/choices/0/message/content").stringValue()).isIn("yes", "no");
        assertThat(wire.chat(Wire.ask("Hello!", ", \"repeat_penalty\": 0")).status())
                .isEqualTo(400);
    }

    @Test
    void strictlyTheyAreRefused() {
        try (TestServer strict =
                        TestServer.start(TestServer.Setup.USUAL, o -> o.strictFields(true));
                Wire other = new Wire(strict.port())) {
            Wire.Answer answer = other.chat(Wire.ask("Hello!", ", \"num_ctx\": 4096"));
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body()).contains("num_ctx is not a field");
            assertThat(other.chat(Wire.ask("Hello!", ", \"num_ctx\": null")).status())
                    .isEqualTo(200);
        }
    }

    /// As the Python client's `model_dump()` and other servers give messages back.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"role\": \"assistant\", \"content\": \"Hi.\", \"refusal\": null, \"annotations\": null, \"audio\": null, \"function_call\": null, \"tool_calls\": null}",
                "{\"role\": \"assistant\", \"content\": \"Hi.\", \"annotations\": [], \"reasoning_content\": \"hm\", \"id\": \"m1\"}",
                "{\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": \"Hi.\", \"cache_control\": {\"type\": \"ephemeral\"}}]}",
                "{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{\"id\": \"c\", \"type\": \"function\", \"index\": 0, \"function\": {\"name\": \"f\", \"arguments\": \"{\\\"city\\\": \\\"Par\"}}]}, {\"role\": \"tool\", \"tool_call_id\": \"c\", \"content\": null}"
            })
    void answersCanBeSentBack(String messages) {
        Wire.Answer answer =
                wire.chat(
                        "{\"model\": \"teacher\", \"max_tokens\": 2, \"messages\": [{\"role\": \"user\", \"content\": \"Hello!\"}, %s, {\"role\": \"user\", \"content\": \"Go on.\"}]}"
                                .formatted(messages));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(ignored(answer)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"max_tokens\": 2.0",
                "\"max_tokens\": 2, \"stop\": [\"\", \"a!\", \"b!\", \"c!\", \"d!\", \"e!\", \"f!\"]",
                "\"max_tokens\": -1, \"stop\": [\" \"]",
                "\"max_tokens\": 2, \"top_logprobs\": 0",
                "\"max_tokens\": 2, \"stream_options\": {\"include_usage\": true}"
            })
    void habitsOfOtherClients(String more) {
        Wire.Answer answer = wire.chat(Wire.ask("Hello!", ", " + more));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    }

    @Test
    void aByteOrderMarkIsPassedOver() {
        Wire.Answer answer = wire.chat("\uFEFF" + Wire.ask("Hello!", ", \"max_tokens\": 2"));
        assertThat(answer.status()).isEqualTo(200);
    }

    /// Agents match these words to cut their history.
    @Test
    void aPromptThatIsTooLongSaysTheMaximumContextLength() {
        Wire.Answer answer = wire.chat(Wire.ask("word ".repeat(5000), ""));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body())
                .containsPattern("maximum context length is \\d+ tokens")
                .contains("context_length_exceeded");
    }

    /// OpenAI's client for browsers sends a dozen headers of its own.
    @Test
    void pagesMaySendTheHeadersThatTheirClientsAdd() {
        Cors cors =
                new Cors(
                        List.of("https://example.org"),
                        List.of("GET", "POST", "DELETE"),
                        List.of("*"),
                        List.of(),
                        600);
        try (TestServer open = TestServer.start(TestServer.Setup.USUAL, o -> o.cors(cors));
                Wire other = new Wire(open.port())) {
            HttpRequest ask =
                    other.request("/v1/chat/completions")
                            .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                            .header("Origin", "https://example.org")
                            .header("Access-Control-Request-Method", "POST")
                            .header(
                                    "Access-Control-Request-Headers",
                                    "authorization,content-type,x-stainless-os")
                            .build();
            assertThat(other.send(ask).whole().headers().firstValue("access-control-allow-headers"))
                    .contains("authorization,content-type,x-stainless-os");
        }
    }
}
