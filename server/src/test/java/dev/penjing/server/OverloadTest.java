package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.Engine;
import dev.penjing.server.http.Limits;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
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

    private static String chatOf(String question) {
        return "{\"model\": \"teacher\", \"messages\": [{\"role\": \"user\", \"content\": %s}]}"
                .formatted(Wire.JSON.writeValueAsString(question));
    }

    private static TestServer.Setup setup(int queue, int sequences) {
        return new TestServer.Setup(List.of(), queue, sequences, STRETCHED);
    }

    /// 200 answers without end, all given up; then one is answered at once.
    @Test
    void requestCancellation() {
        try (TestServer server = TestServer.start(setup(500, 64));
                Wire wire = new Wire(server.port())) {
            List<CompletableFuture<HttpResponse<InputStream>>> all =
                    IntStream.range(0, 200)
                            .mapToObj(i ->
                                    wire.begin("/v1/chat/completions", Wire.ask("Hello!", LONG)))
                            .toList();
            server.awaitActive(200);
            server.awaitBusy();
            all.forEach(answer -> answer.cancel(true));
            assertThat(wire.chat(Wire.ask("Hello!", ", \"max_tokens\": 10")).status())
                    .isEqualTo(200);
            server.awaitIdle();
            assertThat(wire.finished("abort")).isEqualTo(200);
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
        return wire.metric("vllm:num_requests_running", "");
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
                    server.awaitActive(2);
                } else {
                    server.awaitBusy();
                }
                if (where.equals("streaming")) {
                    assertThat(socket.getInputStream().read()).isPositive();
                }
            }
            if (active == null) {
                server.awaitIdle();
                assertThat(wire.finished("abort")).isEqualTo(1);
                return;
            }
            // the one that waited is gone, the other goes on
            server.awaitActive(1);
            assertThat(wire.finished("abort")).isEqualTo(1);
            BufferedReader lines =
                    new BufferedReader(
                            new InputStreamReader(active.join().body(), StandardCharsets.UTF_8));
            for (int i = 0; i < 40; i++) {
                assertThat(lines.readLine()).isNotNull();
            }
            assertThat(server.engine().load().running()).isEqualTo(1);
            lines.close();
            server.awaitIdle();
            assertThat(wire.finished("abort")).isEqualTo(2);
        }
    }

    /// Ollama's max_queue_test, which is skipped there: the queue is filled, what is too much is
    /// told so at once, nothing hangs and no connection breaks.
    @Test
    void maxQueue() throws InterruptedException {
        try (TestServer server = TestServer.start(setup(8, 2));
                Wire wire = new Wire(server.port());
                Standstill still = new Standstill(server.engine(), 0)) {
            still.await();
            String brief = Wire.ask("Hello!", ", \"ignore_eos\": true, \"max_tokens\": 100");
            List<CompletableFuture<HttpResponse<InputStream>>> all =
                    IntStream.range(0, 60)
                            .mapToObj(i -> wire.begin("/v1/chat/completions", brief))
                            .toList();
            awaitDone(all, 52);
            assertThat(server.models().admission().waiting()).isEqualTo(8);
            still.close();
            int answered = 0;
            for (CompletableFuture<HttpResponse<InputStream>> one : all) {
                HttpResponse<InputStream> answer = one.join();
                if (answer.statusCode() == 200) {
                    answered++;
                } else {
                    assertThat(refusal(answer)).contains("queue_full");
                    assertThat(
                                    Integer.parseInt(
                                            answer.headers()
                                                    .firstValue("retry-after")
                                                    .orElseThrow()))
                            .isBetween(1, 60);
                }
            }
            assertThat(answered).isEqualTo(8);
            assertThat(wire.metric("penjing_requests_rejected_total", "reason=\"queue_full\""))
                    .isEqualTo(52);
        }
    }

    private static void awaitDone(
            List<CompletableFuture<HttpResponse<InputStream>>> all, int count) {
        Supplier<Long> done = () -> all.stream().filter(CompletableFuture::isDone).count();
        TestServer.await(
                () -> "%d are answered, not %d".formatted(done.get(), count),
                () -> done.get() >= count);
    }

    /// The body of an answer that says that there are too many.
    private static String refusal(HttpResponse<InputStream> answer) {
        try {
            String body = new String(answer.body().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer.statusCode()).as(body).isEqualTo(429);
            OpenAiSchema.check("ErrorResponse", body);
            return body;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// DJL Serving's testThrottle: one place, two clients, exactly one is put off.
    @Test
    void throttle() {
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
            // the queue lets one wait, however small it is
            server.awaitActive(2);
            Wire.Answer third = wire.chat(Wire.ask("Hello!", ""));
            assertThat(third.status()).isEqualTo(429);
            assertThat(first.join().statusCode()).isEqualTo(200);
            assertThat(second.join().statusCode()).isEqualTo(200);
        }
    }

    @Test
    void promptTokensThatWaitAreBoundedToo() throws InterruptedException {
        try (TestServer server = TestServer.start(setup(1000, 2));
                Wire wire = new Wire(server.port());
                Standstill still = new Standstill(server.engine(), 0)) {
            still.await();
            String large = Wire.ask("owl ".repeat(7000), LONG);
            int tokens =
                    wire.send(wire.post("/tokenize", chatOf("owl ".repeat(7000))))
                            .json()
                            .path("count")
                            .asInt();
            int fit = TestServer.MOST_TOKENS / tokens;
            assertThat(fit).isBetween(10, 190);
            List<CompletableFuture<HttpResponse<InputStream>>> all =
                    IntStream.range(0, 200)
                            .mapToObj(i -> wire.begin("/v1/chat/completions", large))
                            .toList();
            awaitDone(all, 200 - fit);
            assertThat(server.models().admission().waiting()).isEqualTo(fit);
            for (CompletableFuture<HttpResponse<InputStream>> one : all) {
                if (one.isDone()) {
                    assertThat(refusal(one.join())).contains("queue_full");
                }
            }
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
                TestServer.start(setup(10, 4), o -> o.shutdown(Duration.ofMinutes(10)));
        try (Wire wire = new Wire(server.port());
                Standstill still = new Standstill(server.engine(), 1)) {
            CompletableFuture<HttpResponse<InputStream>> running =
                    wire.begin(
                            "/v1/chat/completions",
                            Wire.ask("Hello!", ", \"ignore_eos\": true, \"max_tokens\": 400"));
            still.await();
            Thread leaving = new Thread(server::close);
            leaving.start();
            TestServer.await(
                    () -> "it does not drain", () -> server.models().admission().draining());
            Wire.Answer refused = wire.chat(Wire.ask("Hello!", ""));
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.code()).isEqualTo("draining");
            assertThat(refused.whole().headers().firstValue("retry-after")).isPresent();
            assertThat(wire.get("/v1/health/ready").status()).isEqualTo(503);
            assertThat(wire.get("/v1/health/live").status()).isEqualTo(200);
            assertThat(running).isNotDone();
            assertThat(leaving.isAlive()).isTrue();
            still.close();
            HttpResponse<InputStream> answer = running.join();
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(
                            Wire.JSON
                                    .readTree(answer.body().readAllBytes())
                                    .at("/usage/completion_tokens")
                                    .asInt())
                    .isEqualTo(400);
            leaving.join(TestServer.PATIENCE.toMillis());
            assertThat(leaving.isAlive()).isFalse();
        }
    }

    /// A client that does not read: the engine does not work on for it, and it is told why.
    @Test
    void answersThatNobodyReads() throws Exception {
        Limits like = Limits.DEFAULT;
        Limits unhurried =
                new Limits(
                        like.bodyBytes(),
                        like.headerBytes(),
                        like.header(),
                        like.idle(),
                        like.body(),
                        Duration.ofMinutes(10),
                        like.ping());
        try (TestServer server =
                        TestServer.start(setup(100, 64), o -> o.limits(unhurried));
                Wire wire = new Wire(server.port());
                Socket socket = wire.openNarrow()) {
            String more = ", \"stream\": true, \"logprobs\": true, \"top_logprobs\": 20, \"n\": 8";
            String body = Wire.ask("Hello!", LONG + more);
            String head = Wire.head(body.length()).replace("Host", "Connection: close\r\nHost");
            socket.getOutputStream().write((head + body).getBytes(StandardCharsets.US_ASCII));
            server.awaitBusy();
            TestServer.await(
                    () -> "it works on for nobody", () -> server.engine().load().running() == 0);
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
        TestServer server = TestServer.start(setup(10, 4), o -> o.shutdown(Duration.ZERO));
        try (Wire wire = new Wire(server.port())) {
            CompletableFuture<HttpResponse<InputStream>> running =
                    wire.begin("/v1/chat/completions", Wire.ask("Hello!", LONG));
            server.awaitBusy();
            server.close();
            try {
                // not 200, with all of it
                assertThat(running.join().statusCode()).isEqualTo(503);
            } catch (CompletionException e) {
                assertThat(e).hasCauseInstanceOf(IOException.class);
            }
        }
    }
}
