package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.Engine;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Too many clients, clients that leave, and the server's own leaving. Named after the tests of
/// vLLM, llama.cpp, Ollama and DJL Serving that they follow.
class OverloadTest {
    /// Answers of some seconds: the teacher's context is stretched, and nothing ends them.
    private static final int STRETCHED = 16_384;

    private static final String LONG = ", \"ignore_eos\": true, \"max_tokens\": 16000";

    private static TestServer.Setup setup(int queue, int sequences) {
        return new TestServer.Setup(List.of(), queue, sequences, STRETCHED);
    }

    /// 200 answers without end, all given up after half a second; then one is answered at once.
    @Test
    void requestCancellation() {
        try (TestServer server = TestServer.start(setup(500, 64));
                Wire wire = new Wire(server.port());
                HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request =
                    HttpRequest.newBuilder(
                                    wire.post("/v1/chat/completions", Wire.ask("Hello!", LONG)),
                                    (name, value) -> true)
                            .timeout(Duration.ofMillis(500))
                            .build();
            List<CompletableFuture<HttpResponse<String>>> all =
                    IntStream.range(0, 200)
                            .mapToObj(i ->
                                    client.sendAsync(request, HttpResponse.BodyHandlers.ofString()))
                            .toList();
            for (CompletableFuture<HttpResponse<String>> answer : all) {
                assertThatThrownBy(answer::join).hasCauseInstanceOf(HttpTimeoutException.class);
            }
            long start = System.nanoTime();
            assertThat(wire.chat(Wire.ask("Hello!", ", \"max_tokens\": 10")).status())
                    .isEqualTo(200);
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(5));
            server.awaitIdle();
            assertThat(server.engine().load().freeBlocks())
                    .isEqualTo(server.engine().load().blocks());
        }
    }

    @Test
    void serverLoad() throws Exception {
        try (TestServer server = TestServer.start(setup(10, 4));
                Wire wire = new Wire(server.port())) {
            assertThat(running(wire)).isEqualTo(0);
            InputStream answer =
                    wire.begin(
                                    "/v1/chat/completions",
                                    Wire.ask("Hello!", LONG + ", \"stream\": true"))
                            .join()
                            .body();
            server.awaitBusy();
            assertThat(running(wire)).isEqualTo(1);
            answer.close();
            server.awaitIdle();
            assertThat(running(wire)).isEqualTo(0);
        }
    }

    private static int running(Wire wire) {
        return wire.get("/v1/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("vllm:num_requests_running{"))
                .mapToInt(line -> (int) Double.parseDouble(line.substring(line.indexOf('}') + 2)))
                .sum();
    }

    /// While waiting, while its prompt is read, while it streams, and while it is awaited whole.
    @ParameterizedTest
    @ValueSource(strings = {"queued", "prefill", "streaming", "whole"})
    void cancelledWhereverItIs(String where) throws Exception {
        try (TestServer server = TestServer.start(setup(10, where.equals("queued") ? 1 : 4));
                Wire wire = new Wire(server.port())) {
            CompletableFuture<HttpResponse<InputStream>> active = null;
            if (where.equals("queued")) {
                active =
                        wire.begin(
                                "/v1/chat/completions",
                                Wire.ask("Hello!", LONG + ", \"stream\": true"));
                server.awaitBusy();
            }
            String question = where.equals("prefill") ? "owl ".repeat(7000) : "Hello!";
            String body =
                    Wire.ask(
                            question,
                            LONG + (where.equals("streaming") ? ", \"stream\": true" : ""));
            try (Socket socket = wire.open()) {
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                socket.getOutputStream()
                        .write(Wire.head(bytes.length).getBytes(StandardCharsets.US_ASCII));
                socket.getOutputStream().write(bytes);
                if (where.equals("queued")) {
                    awaitActive(server, 2);
                } else {
                    server.awaitBusy();
                }
                if (where.equals("streaming")) {
                    assertThat(socket.getInputStream().read()).isPositive();
                }
            }
            if (active == null) {
                server.awaitIdle();
                return;
            }
            // the one that waited is gone, the other goes on
            awaitActive(server, 1);
            BufferedReader lines =
                    new BufferedReader(
                            new InputStreamReader(active.join().body(), StandardCharsets.UTF_8));
            for (int i = 0; i < 40; i++) {
                assertThat(lines.readLine()).isNotNull();
            }
            assertThat(server.engine().load().running()).isEqualTo(1);
            lines.close();
            server.awaitIdle();
        }
    }

    private static void awaitActive(TestServer server, int count) throws InterruptedException {
        for (int i = 0; i < 2000 && server.models().admission().active() != count; i++) {
            Thread.sleep(5);
        }
        assertThat(server.models().admission().active()).isEqualTo(count);
    }

    /// Ollama's max_queue_test, which is skipped there: the queue is filled, what is too much is
    /// told so at once, nothing hangs and no connection breaks.
    @Test
    void maxQueue() {
        try (TestServer server = TestServer.start(setup(8, 2));
                Wire wire = new Wire(server.port());
                HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request =
                    wire.post(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", ", \"ignore_eos\": true, \"max_tokens\": 300"));
            List<CompletableFuture<HttpResponse<String>>> all =
                    IntStream.range(0, 60)
                            .mapToObj(i ->
                                    client.sendAsync(request, HttpResponse.BodyHandlers.ofString()))
                            .toList();
            int answered = 0;
            int refused = 0;
            for (CompletableFuture<HttpResponse<String>> one : all) {
                HttpResponse<String> answer = one.join();
                if (answer.statusCode() == 200) {
                    answered++;
                    continue;
                }
                assertThat(answer.statusCode()).isEqualTo(429);
                assertThat(answer.body()).contains("queue_full");
                OpenAiSchema.check("ErrorResponse", answer.body());
                assertThat(
                                Integer.parseInt(
                                        answer.headers().firstValue("retry-after").orElseThrow()))
                        .isBetween(1, 60);
                refused++;
            }
            assertThat(answered).isGreaterThanOrEqualTo(8);
            assertThat(refused).isPositive();
            assertThat(wire.get("/v1/metrics").body())
                    .contains(
                            "penjing_requests_rejected_total{reason=\"queue_full\"} "
                                    + refused
                                    + ".0");
        }
    }

    /// DJL Serving's testThrottle: one place, two clients, exactly one is put off.
    @Test
    void throttle() throws InterruptedException {
        try (TestServer server = TestServer.start(setup(0, 1));
                Wire wire = new Wire(server.port())) {
            CompletableFuture<HttpResponse<InputStream>> first =
                    wire.begin(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", LONG + ", \"stream\": true"));
            server.awaitBusy();
            CompletableFuture<HttpResponse<InputStream>> second =
                    wire.begin(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", LONG + ", \"stream\": true"));
            while (server.models().admission().waiting() == 0) {
                Thread.sleep(1);
            }
            // the queue lets one wait, however small it is
            Wire.Answer third = wire.chat(Wire.ask("Hello!", ""));
            assertThat(third.status()).isEqualTo(429);
            assertThat(first.join().statusCode()).isEqualTo(200);
            assertThat(second.join().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void promptTokensThatWaitAreBoundedToo() {
        try (TestServer server = TestServer.start(setup(1000, 1));
                Wire wire = new Wire(server.port())) {
            List<CompletableFuture<HttpResponse<InputStream>>> all = new ArrayList<>();
            String large = Wire.ask("owl ".repeat(7000), LONG);
            for (int i = 0; i < 200; i++) {
                all.add(wire.begin("/v1/chat/completions", large));
            }
            long refused =
                    IntStream.range(0, 100)
                            .filter(i -> {
                                try {
                                    return all.get(199 - i).get(2, TimeUnit.SECONDS).statusCode()
                                            == 429;
                                } catch (java.util.concurrent.TimeoutException e) {
                                    return false;
                                } catch (Exception e) {
                                    throw new AssertionError(e);
                                }
                            })
                            .limit(3)
                            .count();
            assertThat(refused).isPositive();
        }
    }

    @Test
    void deadEngine() {
        try (TestServer server = TestServer.start(setup(10, 4));
                Wire wire = new Wire(server.port())) {
            Engine engine = server.engine();
            assertThat(wire.get("/v1/health/ready").status()).isEqualTo(200);
            engine.close();
            assertThat(wire.get("/v1/health/ready").status()).isEqualTo(503);
            assertThat(wire.get("/v1/health/live").status()).isEqualTo(503);
            Wire.Answer answer = wire.chat(Wire.ask("Hello!", ""));
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.code()).isEqualTo("failed");
        }
    }

    /// An engine that ends in the middle of a stream: an error event, and the end.
    @Test
    void streamThatFails() throws IOException {
        try (TestServer server = TestServer.start(setup(10, 4));
                Wire wire = new Wire(server.port())) {
            InputStream in =
                    wire.begin(
                                    "/v1/chat/completions",
                                    Wire.ask("Hello!", LONG + ", \"stream\": true"))
                            .join()
                            .body();
            assertThat(in.read()).isPositive();
            server.awaitBusy();
            Engine engine = server.engine();
            engine.close();
            String rest = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            List<String> lines = rest.lines().filter(l -> l.startsWith("data: ")).toList();
            assertThat(lines.getLast()).contains("\"error\"").contains("aborted");
            OpenAiSchema.check("ErrorResponse", lines.getLast().substring(6));
            assertThat(rest).doesNotContain("[DONE]");
        }
    }

    /// Told to leave, it takes nothing new and lets what runs come to its end.
    @Test
    void shutdown() throws Exception {
        TestServer server =
                TestServer.start(setup(10, 4), o -> Changed.shutdown(o, Duration.ofSeconds(30)));
        try (Wire wire = new Wire(server.port())) {
            CompletableFuture<HttpResponse<InputStream>> running =
                    wire.begin(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", ", \"ignore_eos\": true, \"max_tokens\": 6000"));
            server.awaitBusy();
            Thread leaving = new Thread(server::close);
            leaving.start();
            while (!server.models().admission().draining()) {
                Thread.sleep(1);
            }
            Wire.Answer refused = wire.chat(Wire.ask("Hello!", ""));
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.code()).isEqualTo("draining");
            assertThat(refused.whole().headers().firstValue("retry-after")).isPresent();
            assertThat(wire.get("/v1/health/ready").status()).isEqualTo(503);
            assertThat(wire.get("/v1/health/live").status()).isEqualTo(200);
            HttpResponse<InputStream> answer = running.join();
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(
                            Wire.JSON
                                    .readTree(answer.body().readAllBytes())
                                    .at("/usage/completion_tokens")
                                    .asInt())
                    .isEqualTo(6000);
            leaving.join(TimeUnit.SECONDS.toMillis(10));
            assertThat(leaving.isAlive()).isFalse();
        }
    }

    /// A client that does not read: the engine does not work on for it, and it is told why.
    @Test
    void answersThatNobodyReads() throws Exception {
        try (TestServer server = TestServer.start(setup(100, 64));
                Wire wire = new Wire(server.port());
                Socket socket = wire.open()) {
            String more = ", \"stream\": true, \"logprobs\": true, \"top_logprobs\": 20, \"n\": 8";
            String body = Wire.ask("Hello!", LONG + more);
            String head = Wire.head(body.length()).replace("Host", "Connection: close\r\nHost");
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
            server.awaitBusy();
            for (int i = 0; i < 2500 && server.engine().load().running() > 0; i++) {
                Thread.sleep(10);
            }
            assertThat(server.engine().load().running()).isZero();
            RawAnswer answer =
                    RawAnswer.all(socket.getInputStream().readAllBytes(), true).getFirst();
            assertThat(answer.complete()).isTrue();
            List<String> data = answer.body().lines().filter(l -> !l.isEmpty()).toList();
            assertThat(data.getLast()).contains("\"error\"").contains("too slowly");
            OpenAiSchema.check("ErrorResponse", data.getLast().substring(6));
            server.awaitIdle();
        }
    }

    /// Without time to leave, it is gone soon, and its clients know.
    @Test
    void shutdownAtOnce() throws Exception {
        TestServer server = TestServer.start(setup(10, 4), o -> Changed.shutdown(o, Duration.ZERO));
        try (Wire wire = new Wire(server.port())) {
            CompletableFuture<HttpResponse<InputStream>> running =
                    wire.begin("/v1/chat/completions", Wire.ask("Hello!", LONG));
            server.awaitBusy();
            long start = System.nanoTime();
            server.close();
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(4));
            try {
                assertThat(running.join().statusCode()).isEqualTo(503);
            } catch (CompletionException e) {
                assertThat(e).hasCauseInstanceOf(IOException.class);
            }
        }
    }
}
