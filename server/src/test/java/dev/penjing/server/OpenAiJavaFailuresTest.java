package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.OpenAIClientAsync;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.AsyncStreamResponse;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's own client for Java: what goes wrong, is given up, or happens at the same time. The
/// server computes one answer at a time, lets one wait, and asks for a key.
class OpenAiJavaFailuresTest {
    private static final String KEY = "the-right-key";

    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start(new TestServer.Setup(List.of("another-key", KEY), 1, 1, 256));
        client = client(KEY, 0, Duration.ofMinutes(1));
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @AfterEach
    void nothingIsLeftRunning() {
        server.awaitIdle();
    }

    private static OpenAIClient client(String key, int retries, Duration timeout) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(server.url())
                .apiKey(key)
                .maxRetries(retries)
                .timeout(timeout)
                .build();
    }

    private static ChatCompletionCreateParams.Builder ask() {
        return ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .temperature(0)
                .addUserMessage("Where does Cora live?");
    }

    /// So many answers that they take the server a long time, and fill its queue.
    private static ChatCompletionCreateParams many() {
        return ask().n(TestServer.MANY)
                .temperature(1)
                .maxCompletionTokens(TestServer.LONG)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
    }

    private static ChatCompletion whole(OpenAIClient from, ChatCompletionCreateParams params) {
        return from.chat().completions().create(params).validate();
    }

    private static String text(ChatCompletion completion) {
        return completion.choices().getFirst().message().content().orElseThrow();
    }

    private static BadRequestException refused(ChatCompletionCreateParams params) {
        BadRequestException refused =
                catchThrowableOfType(
                        BadRequestException.class,
                        () -> client.chat().completions().create(params));
        assertThat(refused.type()).hasValue("invalid_request_error");
        assertThat(refused.headers().values("x-request-id")).hasSize(1);
        return refused;
    }

    @Test
    void aWrongFieldIsNamed() {
        assertThat(refused(ask().temperature(3).build()).param()).hasValue("temperature");
        assertThat(refused(ask().topLogprobs(21).build()).param()).hasValue("top_logprobs");
        assertThat(refused(ask().stopOfStrings(Collections.nCopies(65, "a")).build()).param())
                .hasValue("stop");
    }

    @Test
    void aTextThatIsTooLongHasACodeOfItsOwn() {
        BadRequestException tooLong = refused(ask().addUserMessage("x ".repeat(600)).build());
        assertThat(tooLong.code()).hasValue("context_length_exceeded");
        assertThat(tooLong.param()).hasValue("messages");
    }

    @Test
    void aWrongModelIsNotFound() {
        NotFoundException asked =
                catchThrowableOfType(
                        NotFoundException.class,
                        () -> client.chat().completions().create(ask().model("other").build()));
        assertThat(asked.code()).hasValue("model_not_found");
        assertThat(asked.param()).hasValue("model");
        assertThatThrownBy(() -> client.models().retrieve("other"))
                .isInstanceOf(NotFoundException.class);
    }

    @Test
    void theRightKeyIsNeeded() {
        assertThat(text(whole(client, ask().build()))).contains("Larkwell");
        OpenAIClient stranger = client("the-wrong-key", 0, Duration.ofMinutes(1));
        UnauthorizedException refused =
                catchThrowableOfType(
                        UnauthorizedException.class,
                        () -> stranger.chat().completions().create(ask().build()));
        assertThat(refused.type()).hasValue("authentication_error");
        assertThat(refused.code()).hasValue("invalid_api_key");
        assertThatThrownBy(() -> stranger.models().list())
                .isInstanceOf(UnauthorizedException.class);
        stranger.close();
    }

    @Test
    void aFullQueueRefusesAndTheClientTriesAgainWhenToldTo() {
        OpenAIClient patient = client(KEY, 1, Duration.ofMinutes(1));
        try (StreamResponse<ChatCompletionChunk> busy =
                client.chat().completions().createStreaming(many())) {
            server.awaitBusy();
            RateLimitException refused =
                    catchThrowableOfType(
                            RateLimitException.class,
                            () -> client.chat().completions().create(ask().build()));
            assertThat(refused.code()).hasValue("queue_full");
            assertThat(refused.type()).hasValue("rate_limit_error");
            long seconds = Long.parseLong(refused.headers().values("retry-after").getFirst());
            assertThat(seconds).isPositive();

            long start = System.nanoTime();
            assertThatThrownBy(() -> patient.chat().completions().create(ask().build()))
                    .isInstanceOf(RateLimitException.class);
            // of its own accord it would wait for half a second
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isGreaterThanOrEqualTo(Duration.ofSeconds(seconds));
        }
        server.awaitIdle();
        patient.close();
    }

    @Test
    void aRequestThatWasRefusedGetsInLater() {
        OpenAIClient patient = client(KEY, 3, Duration.ofMinutes(1));
        CompletableFuture<ChatCompletion> answer;
        try (StreamResponse<ChatCompletionChunk> busy =
                client.chat().completions().createStreaming(many())) {
            server.awaitBusy();
            int before = refused();
            answer = CompletableFuture.supplyAsync(() -> whole(patient, ask().build()));
            TestServer.await(() -> "it is not refused", () -> refused() > before);
            assertThat(answer).isNotDone();
        }
        assertThat(text(answer.orTimeout(60, TimeUnit.SECONDS).join())).contains("Larkwell");
        patient.close();
    }

    /// How many requests were, for want of room.
    private static int refused() {
        try (Wire wire = new Wire(server.port())) {
            String metrics =
                    wire.send(
                                    wire.request("/v1/metrics")
                                            .header("Authorization", "Bearer " + KEY)
                                            .build())
                            .body();
            return Wire.metric(metrics, "penjing_requests_rejected_total", "\"queue_full\"");
        }
    }

    @Test
    void aClientThatWaitsNoLongerFreesTheEngine() {
        OpenAIClient hasty = client(KEY, 0, Duration.ofMillis(500));
        CompletableFuture<Void> asked =
                CompletableFuture.runAsync(() -> hasty.chat().completions().create(many()));
        server.awaitBusy();
        assertThatThrownBy(asked::join).hasCauseInstanceOf(OpenAIIoException.class);
        server.awaitIdle();
        assertThat(text(whole(client, ask().build()))).contains("Larkwell");
        hasty.close();
    }

    @Test
    void aStreamThatIsClosedFreesTheEngine() {
        try (StreamResponse<ChatCompletionChunk> busy =
                client.chat().completions().createStreaming(many())) {
            List<ChatCompletionChunk> some =
                    busy.stream()
                            .filter(c -> c.choices().getFirst().delta().content().isPresent())
                            .limit(TestServer.MANY + 5)
                            .toList();
            assertThat(some).hasSize(TestServer.MANY + 5);
            server.awaitBusy();
        }
        server.awaitIdle();
    }

    @Test
    void theAsynchronousClientIsAnsweredToo() {
        TestServer.Setup roomy = new TestServer.Setup(List.of(), 256, 8, 256);
        try (TestServer wide = TestServer.start(roomy)) {
            OpenAIClientAsync async =
                    OpenAIOkHttpClient.builder()
                            .baseUrl(wide.url())
                            .apiKey("none")
                            .maxRetries(0)
                            .build()
                            .async();
            List<CompletableFuture<ChatCompletion>> all =
                    IntStream.range(0, 16)
                            .mapToObj(i -> async.chat().completions().create(ask().build()))
                            .toList();
            assertThat(all)
                    .allSatisfy(one ->
                            assertThat(text(one.join().validate()))
                                    .isEqualTo("Cora lives in Larkwell."));

            ConcurrentLinkedQueue<ChatCompletionChunk> chunks = new ConcurrentLinkedQueue<>();
            async.chat()
                    .completions()
                    .createStreaming(ask().build())
                    .subscribe(chunk -> chunks.add(chunk.validate()))
                    .onCompleteFuture()
                    .join();
            assertThat(
                            chunks.stream()
                                    .map(chunk -> chunk.choices().getFirst().delta().content())
                                    .flatMap(content -> content.stream())
                                    .collect(Collectors.joining()))
                    .isEqualTo("Cora lives in Larkwell.");

            AsyncStreamResponse<ChatCompletionChunk> busy =
                    async.chat().completions().createStreaming(many());
            // closed by the thread that reads: closed by another, this client may leave the
            // connection open and unread
            CompletableFuture<Boolean> closed = new CompletableFuture<>();
            busy.subscribe(chunk -> {
                busy.close();
                closed.complete(true);
            });
            closed.orTimeout(20, TimeUnit.SECONDS).join();
            wide.awaitIdle();

            assertThatThrownBy(() ->
                            async.chat().completions().create(ask().model("other").build()).join())
                    .hasCauseInstanceOf(NotFoundException.class);
            async.close();
        }
    }
}
