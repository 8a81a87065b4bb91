package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Faults that `HttpFuzzTest` found, one by one.
class FoundByFuzzTest {
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

    private static List<RawAnswer> raw(String text, boolean bodies) throws IOException {
        return RawAnswer.all(wire.raw(text).getBytes(StandardCharsets.UTF_8), bodies);
    }

    /// It was an error of the server.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "xyz\r\n",
                "-5\r\n",
                "ffffffffffffffffff\r\n",
                "2\n{}\n0\n\n",
                "2;a=b\r\n{}\r\n0\r\n\r\n"
            })
    void chunksThatAreNone(String body) throws IOException {
        String head =
                "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        List<RawAnswer> answers = raw(head + body, true);
        assertThat(answers).hasSize(1);
        assertThat(answers.getFirst().status()).isEqualTo(400);
        assertThat(answers.getFirst().header("connection")).isEqualTo("close");
        OpenAiSchema.check("ErrorResponse", answers.getFirst().body());
    }

    /// The body came, too.
    @Test
    void headHasNoBody() throws IOException {
        List<RawAnswer> answers =
                raw("HEAD /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false);
        assertThat(answers).hasSize(1);
        assertThat(answers.getFirst().status()).isEqualTo(200);
        assertThat(answers.getFirst().header("content-length"))
                .isEqualTo(Integer.toString(wire.get("/v1/models").body().length()));
    }

    /// The last chunk was missing, which clients take for an answer cut off.
    @Test
    void streamOfALastRequestComesToItsEnd() throws IOException {
        String body = Wire.ask("Hello!", ", \"stream\": true, \"max_tokens\": 4");
        String head = Wire.head(body.length()).replace("Host", "Connection: close\r\nHost");
        List<RawAnswer> answers = raw(head + body, true);
        assertThat(answers).hasSize(1);
        assertThat(answers.getFirst().complete()).isTrue();
        assertThat(answers.getFirst().body()).endsWith("data: [DONE]\n\n");
    }

    /// They were errors of the server.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/completions | \"prompt\": [[5], {\"a\": null}] | prompt",
                "/v1/completions | \"prompt\": [{\"a\": 5}] | prompt",
                "/v1/completions | \"prompt\": [5, 99999999999999999999999] | prompt",
                "/v1/completions | \"prompt\": [[9223372036854775808]] | prompt",
                "/v1/completions | \"prompt\": \"a\", \"stop_token_ids\": [9223372036854775808] | stop_token_ids",
                "/v1/completions | \"prompt\": \"a\", \"stop_token_ids\": {\"a\": 1} | stop_token_ids",
                "/detokenize | \"tokens\": [99999999999999999999999] | tokens",
                "/detokenize | \"tokens\": {\"a\": 1} | tokens",
            })
    void idsThatAreNone(String path, String fields, String parameter) {
        Wire.Answer answer = wire.send(wire.post(path, "{\"model\": \"teacher\", " + fields + "}"));
        assertThat(answer.status()).as(answer.body()).isEqualTo(400);
        assertThat(answer.parameter()).isEqualTo(parameter);
    }

    /// Half of a character, which JSON can hold but UTF-8 cannot.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"@\"}], \"stop\": \"@\"",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\", \"name\": \"@\"}], \"guided_choice\": [\"@\", \"b@\"]",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"guided_regex\": \"@+\"",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"guided_json\": {\"const\": \"@\"}",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"guided_json\": {\"properties\": {\"@\": {\"pattern\": \"@\"}}, \"required\": [\"@\"]}",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"@\", \"parameters\": {\"@\": \"@\"}}}]",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"@\", \"function\": {\"name\": \"@\", \"arguments\": \"{}\"}}]}]",
                "/v1/chat/completions | \"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"@\": 1",
                "/v1/completions | \"prompt\": \"@a@\", \"echo\": true, \"logprobs\": 1, \"max_tokens\": 2",
                "/v1/responses | \"input\": \"@\", \"instructions\": \"@\", \"metadata\": {\"a\": \"@\"}, \"user\": \"@\"",
                "/v1/responses | \"input\": \"a\", \"metadata\": {\"@\": \"a\"}",
                "/v1/responses | \"input\": \"a\", \"previous_response_id\": \"@\"",
                "/v1/responses | \"input\": \"a\", \"text\": {\"format\": {\"type\": \"json_schema\", \"name\": \"a\", \"description\": \"@\", \"schema\": {\"const\": \"@\"}}}",
                "/v1/responses | \"input\": \"a\", \"tools\": [{\"type\": \"function\", \"name\": \"f\", \"description\": \"@\", \"parameters\": {\"@\": \"@\"}}]",
                "/tokenize | \"prompt\": \"@\"",
            })
    void halfOfACharacter(String path, String fields) {
        String body = "{\"model\": \"teacher\", " + fields + "}";
        for (String half : new String[] {"\\ud83d", "\\ude00"}) {
            Wire.Answer answer = wire.send(wire.post(path, body.replace("@", half)));
            assertThat(answer.status()).as(answer.body()).isIn(200, 400);
            assertThat(answer.json().isObject()).isTrue();
        }
    }
}
