package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Paths as clients write them whose base address is not quite what the server's is.
class DoorsTest {
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

    @ParameterizedTest
    @CsvSource({
        "/v1/models/, /v1/models",
        "/models, /v1/models",
        "/models//, /v1/models",
        "/v1/v1/models, /v1/models",
        "/models/teacher, /v1/models/teacher",
        "/version, /v1/version",
        "/health, /v1/health/ready",
        "/health/, /v1/health/ready",
    })
    void anotherNameOfAPath(String name, String path) {
        Wire.Answer answer = wire.get(name);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(wire.get(path).body());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/chat/completions", "/v1/chat/completions/", "/v1/v1/chat/completions"})
    void aChatWithoutOrWithTwoVersions(String path) {
        String body = Wire.ask("What is 2 plus 2?", ", \"max_tokens\": 4");
        Wire.Answer answer = wire.send(wire.post(path, body));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().path("object").asString()).isEqualTo("chat.completion");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/tokenize", "/tokenize/"})
    void aPathThatHasNoVersion(String path) {
        String body = "{\"model\": \"teacher\", \"prompt\": \"a\"}";
        Wire.Answer answer = wire.send(wire.post(path, body));
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(wire.send(wire.post("/tokenize", body)).body());
    }

    /// They count as the path that was meant.
    @Test
    void metrics() {
        assertThat(wire.get("/metrics").body()).contains("vllm:").doesNotContain("\"/metrics\"");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completion, /v1/chat/completions",
        "/v1/chat/compeltions/, /v1/chat/completions",
        "/v1/response, /v1/responses",
        "/openapi.yaml, /openapi.json",
    })
    void theNearestIsNamed(String path, String nearest) {
        Wire.Answer answer = wire.get(path);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.code()).isEqualTo("not_found");
        assertThat(answer.body()).contains("did you mean " + nearest + "?");
    }

    @Test
    void nothingIsNear() {
        for (String path : List.of("/somewhere/else", "/v1", "/" + "v1/chat".repeat(500))) {
            Wire.Answer answer = wire.get(path);
            assertThat(answer.status()).as(path).isEqualTo(404);
            assertThat(answer.body()).doesNotContain("did you mean").contains("see /docs");
        }
    }

    /// Another name asks for a key where the path does, and only there.
    @Test
    void keys() {
        TestServer.Setup keyed = new TestServer.Setup(List.of("secret"), 256, 64, 256);
        try (TestServer closed = TestServer.start(keyed);
                Wire to = new Wire(closed.port())) {
            for (String path : List.of("/models", "/v1/models/", "/v1/v1/models", "/metrics")) {
                assertThat(to.get(path).status()).as(path).isEqualTo(401);
            }
            assertThat(to.get("/health").status()).isEqualTo(200);
            assertThat(to.get("/v1/health/live/").status()).isEqualTo(200);
        }
    }
}
