package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.server.http.Cors;
import dev.penjing.server.http.Limits;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import dev.penjing.server.observe.Log;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Keys, origins, sizes, slowness, and what a client must not be able to do. Named after the tests
/// of llama.cpp, vLLM and Triton that they follow.
class SafetyTest {
    private static final String KEY = "a key that is long enough";

    private static final TestServer.Setup LOCKED =
            new TestServer.Setup(List.of("another key", KEY), 256, 64, 256);

    private static final Limits STRICT =
            new Limits(
                    2000,
                    4096,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofMillis(100));

    private static Wire.Answer with(Wire wire, String path, String header, String value) {
        return wire.send(wire.request(path).header(header, value).build());
    }

    @Test
    void keys() {
        try (TestServer server = TestServer.start(LOCKED);
                Wire wire = new Wire(server.port())) {
            for (String path :
                    new String[] {
                        "/v1/models",
                        "/v1/metadata",
                        "/v1/metrics",
                        "/v1/manifest",
                        "/v1/license",
                        "/v1/nothing",
                        "/playground/report?model=teacher"
                    }) {
                Wire.Answer answer = wire.get(path);
                assertThat(answer.status()).as(path).isEqualTo(401);
                assertThat(answer.json().at("/error/type").asString())
                        .isEqualTo("authentication_error");
                assertThat(answer.whole().headers().firstValue("www-authenticate"))
                        .contains("Bearer");
            }
            for (String path :
                    new String[] {
                        "/v1/chat/completions", "/v1/completions", "/v1/responses", "/tokenize"
                    }) {
                assertThat(wire.send(wire.post(path, "{}")).status()).as(path).isEqualTo(401);
            }
            for (String path :
                    new String[] {
                        "/v1/health/live",
                        "/v1/health/ready",
                        "/",
                        "/playground/app.js",
                        "/docs",
                        "/openapi.json"
                    }) {
                assertThat(wire.get(path).status()).as(path).isEqualTo(200);
            }
            for (String wrong :
                    new String[] {
                        "Bearer",
                        "Bearer ",
                        "Bearer x",
                        KEY,
                        "Basic " + KEY,
                        "Bearer " + KEY + "x",
                        "Bearer another"
                    }) {
                assertThat(with(wire, "/v1/models", "Authorization", wrong).status())
                        .as(wrong)
                        .isEqualTo(401);
            }
            assertThat(with(wire, "/v1/models", "Authorization", "Bearer " + KEY).status())
                    .isEqualTo(200);
            assertThat(with(wire, "/v1/models", "Authorization", "bearer another key").status())
                    .isEqualTo(200);
            assertThat(wire.get("/playground/info").json().path("models")).isEmpty();
            assertThat(
                            with(wire, "/playground/info", "Authorization", "Bearer " + KEY)
                                    .json()
                                    .path("models"))
                    .hasSize(1);
        }
    }

    @Test
    void refusesToListenBeyondThisMachineWithoutAKey() {
        try (ServedModels models =
                new ServedModels(List.of(), new Admission(1, 1), Progress.NONE, (line, failure) -> {})) {
            ServerOptions open =
                    ServerOptions.DEFAULT.with(o -> o.host("0.0.0.0").port(0));
            assertThatThrownBy(() -> PenjingServer.start(open, models))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("set api-key-file");
        }
    }

    @Test
    void origins() {
        Cors cors =
                new Cors(
                        List.of("https://example.org"),
                        List.of("GET", "POST"),
                        List.of("Authorization", "Content-Type"),
                        List.of("X-Request-Id"),
                        600);
        try (TestServer server = TestServer.start(LOCKED, o -> o.cors(cors));
                Wire wire = new Wire(server.port())) {
            HttpRequest ask =
                    wire.request("/v1/chat/completions")
                            .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                            .header("Origin", "https://example.org")
                            .header("Access-Control-Request-Method", "POST")
                            .build();
            Wire.Answer allowed = wire.send(ask);
            assertThat(allowed.status()).isEqualTo(204);
            assertThat(allowed.whole().headers().firstValue("access-control-allow-origin"))
                    .contains("https://example.org");
            assertThat(allowed.whole().headers().firstValue("access-control-allow-credentials"))
                    .isEmpty();
            Wire.Answer other = with(wire, "/v1/health/live", "Origin", "https://evil.example");
            assertThat(other.whole().headers().firstValue("access-control-allow-origin")).isEmpty();
        }
        try (TestServer server = TestServer.start(LOCKED);
                Wire wire = new Wire(server.port())) {
            Wire.Answer off = with(wire, "/v1/health/live", "Origin", "https://example.org");
            assertThat(off.whole().headers().firstValue("access-control-allow-origin")).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/playground/../openapi.json",
                "/playground/%2e%2e/openapi.json",
                "/playground/..%2fopenapi.json",
                "/docs/../../../../etc/passwd",
                "/playground//etc/passwd",
                "/playground/app.js%00",
                "/docs/%5c..%5copenapi.json",
                "/playground/report?model=../../etc/passwd",
                "/v1/models/..%2f..%2fetc"
            })
    void pathTraversal(String path) throws IOException {
        try (TestServer server = TestServer.start();
                Wire wire = new Wire(server.port())) {
            String answer =
                    wire.raw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            assertThat(answer).matches("(?s)HTTP/1.1 (40[04]|200) .*").doesNotContain("root:");
            if (answer.startsWith("HTTP/1.1 200")) {
                // resolved by the rules of addresses, to what is there for everyone
                assertThat(answer).contains("\"openapi\"");
            }
        }
    }

    @Test
    void logInjection() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Log log =
                new Log(
                        Log.Level.INFO,
                        false,
                        new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try (TestServer server =
                        TestServer.start(TestServer.Setup.USUAL, o -> o.log(log));
                Wire wire = new Wire(server.port())) {
            wire.raw(
                    "GET /v1/%0a2026-01-01T00:00:00Z%20error%20forged HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            wire.raw(
                    "GET /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: a b\u001b[31m\r\nConnection: close\r\n\r\n");
            wire.chat("{\"model\": \"a\\n2026-01-01T00:00:00Z error forged\", \"messages\": []}");
            wire.chat(Wire.ask("a secret question", ""));
            // they are written behind the answers
            TestServer.await(() -> "few lines: " + bytes, () -> requests(bytes).size() >= 3);
        }
        List<String> lines = requests(bytes);
        // control characters in a header are refused before they are a request
        assertThat(lines).hasSize(3).allMatch(line -> line.matches("[\\x20-\\x7e]+"));
        assertThat(lines)
                .noneMatch(line -> line.startsWith("2026-01-01"))
                .noneMatch(line -> line.contains("secret"));
    }

    private static List<String> requests(ByteArrayOutputStream log) {
        return log.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(l -> l.contains(" request "))
                .toList();
    }

    @Test
    void requestIds() {
        try (TestServer server = TestServer.start();
                Wire wire = new Wire(server.port())) {
            assertThat(
                            with(wire, "/v1/models", "X-Request-Id", "abc-1")
                                    .whole()
                                    .headers()
                                    .firstValue("x-request-id"))
                    .contains("abc-1");
            assertThat(
                            with(wire, "/v1/models", "X-Request-Id", "a b")
                                    .whole()
                                    .headers()
                                    .firstValue("x-request-id")
                                    .orElseThrow())
                    .startsWith("req-");
            assertThat(wire.get("/nothing").whole().headers().firstValue("x-request-id"))
                    .isPresent();
        }
    }

    /// Also of a body whose length nobody announced.
    @Test
    void requestSize() throws IOException {
        try (TestServer server =
                        TestServer.start(TestServer.Setup.USUAL, o -> o.limits(STRICT));
                Wire wire = new Wire(server.port())) {
            String large = Wire.ask("x".repeat(3000), "");
            assertThat(wire.chat(large).status()).isEqualTo(413);
            String chunk = "3e8\r\n" + "x".repeat(1000) + "\r\n";
            String chunked =
                    wire.raw(
                            "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                    + chunk.repeat(10)
                                    + "0\r\n\r\n");
            assertThat(chunked).startsWith("HTTP/1.1 413");
            for (String length : new String[] {"-1", "abc", "1e3", "99999999999999999999"}) {
                String answer =
                        wire.raw(
                                "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
                                        + length
                                        + "\r\n\r\n{}");
                assertThat(answer).as(length).startsWith("HTTP/1.1 4");
            }
            String headers =
                    wire.raw(
                            "GET /v1/models HTTP/1.1\r\nHost: a\r\nX: "
                                    + "y".repeat(10_000)
                                    + "\r\n\r\n");
            assertThat(headers).startsWith("HTTP/1.1 4");
            assertThat(wire.get("/v1/models").status()).isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"headers", "body", "nothing"})
    void slowWriters(String where) throws Exception {
        try (TestServer server =
                        TestServer.start(TestServer.Setup.USUAL, o -> o.limits(STRICT));
                Wire wire = new Wire(server.port())) {
            closesSlowWriter(wire, where);
            assertThat(wire.get("/v1/models").status()).isEqualTo(200);
        }
    }

    private static void closesSlowWriter(Wire wire, String where) throws IOException {
        long start = System.nanoTime();
        try (Socket socket = wire.open()) {
            OutputStream out = socket.getOutputStream();
            if (where.equals("body")) {
                out.write(Wire.head(1000).getBytes(StandardCharsets.US_ASCII));
            }
            Thread writer =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    while (!where.equals("nothing")) {
                                        out.write('G');
                                        out.flush();
                                        Thread.sleep(50);
                                    }
                                } catch (IOException | InterruptedException e) {
                                    // closed, as it should be
                                }
                            });
            try {
                socket.getInputStream().readAllBytes();
            } catch (SocketTimeoutException e) {
                throw new AssertionError("it is not closed", e);
            } catch (IOException e) {
                // reset: closed as well
            } finally {
                writer.interrupt();
            }
            // it had its time, of which the server's clock began later than ours
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isGreaterThanOrEqualTo(STRICT.header());
        }
    }

    /// A client that does not read what it asked for is closed, and its answer ended.
    @Test
    void slowReaders() throws Exception {
        TestServer.Setup setup = new TestServer.Setup(List.of(), 10, 64, 16_384);
        try (TestServer server = TestServer.start(setup, o -> o.limits(STRICT));
                Wire wire = new Wire(server.port());
                Socket socket = wire.openNarrow()) {
            String body =
                    Wire.ask(
                            "Hello!",
                            ", \"stream\": true, \"logprobs\": true, \"top_logprobs\": 20, \"ignore_eos\": true, \"max_tokens\": 16000, \"n\": 8");
            socket.getOutputStream()
                    .write((Wire.head(body.length()) + body).getBytes(StandardCharsets.US_ASCII));
            server.awaitBusy();
            server.awaitIdle();
            assertThat(wire.finished("abort")).isEqualTo(8);
            assertThat(wire.get("/v1/models").status()).isEqualTo(200);
        }
    }

    /// Signs of life while a request waits.
    @Test
    void pings() throws Exception {
        TestServer.Setup setup = new TestServer.Setup(List.of(), 10, 1, 16_384);
        try (TestServer server = TestServer.start(setup, o -> o.limits(STRICT));
                Wire wire = new Wire(server.port())) {
            var running =
                    wire.begin(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", ", \"ignore_eos\": true, \"max_tokens\": 16000"));
            server.awaitBusy();
            var waiting =
                    wire.begin("/v1/chat/completions", Wire.ask("Hello!", ", \"stream\": true"));
            List<String> lines = new ArrayList<>();
            try (BufferedReader reader =
                    new BufferedReader(
                            new InputStreamReader(waiting.join().body(), StandardCharsets.UTF_8))) {
                reader.lines()
                        .forEach(line -> {
                            lines.add(line);
                            // it has shown that it lives: let it have its turn
                            if (line.equals(": ping")) {
                                running.cancel(true);
                            }
                        });
            }
            assertThat(lines).contains(": ping", "data: [DONE]");
        }
    }

    @Test
    void severalRequestsOnOneConnection() throws IOException {
        try (TestServer server = TestServer.start();
                Wire wire = new Wire(server.port())) {
            String body = Wire.ask("Hello!", "");
            String one = Wire.head(body.length()) + body;
            String last = one.replace("Host: localhost", "Host: localhost\r\nConnection: close");
            String answers = wire.raw(one + one + last);
            assertThat(answers.split("HTTP/1.1 200", -1)).hasSize(4);
        }
    }

    @Test
    void aModelThatCannotBeLoadedIsSaidToBe() {
        try (ServedModels models =
                new ServedModels(
                        List.of(
                                new ServedModel(
                                        "ghost", Path.of("no-such-model"), EngineOptions.DEFAULT)),
                        new Admission(1, 1),
                        Progress.NONE,
                        (line, failure) -> {})) {
            models.awaitLoaded();
            ServerOptions options =
                    ServerOptions.DEFAULT.with(o -> o.port(0).shutdown(Duration.ZERO));
            try (PenjingServer server = PenjingServer.start(options, models);
                    Wire wire = new Wire(server.port())) {
                assertThat(wire.get("/v1/health/live").status()).isEqualTo(200);
                assertThat(wire.get("/v1/health/ready").body()).contains("no-such-model");
                assertThat(wire.chat(Wire.ask("Hi", "").replace("teacher", "ghost")).status())
                        .isEqualTo(503);
            }
        }
    }
}
