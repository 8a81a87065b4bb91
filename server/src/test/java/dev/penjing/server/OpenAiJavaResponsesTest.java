package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseOutputText;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.StructuredResponse;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's own client for Java: `/v1/responses`. Every answer and event is put through its
/// `validate`.
class OpenAiJavaResponsesTest {
    private static TestServer server;
    private static OpenAIClient client;

    enum Person {
        Ada,
        Cora
    }

    static class Smith {
        public @Nullable Person person;
    }

    @BeforeAll
    static void start() {
        server = TestServer.start();
        client =
                OpenAIOkHttpClient.builder()
                        .baseUrl(server.url())
                        .apiKey("none")
                        .maxRetries(0)
                        .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ResponseCreateParams.Builder ask(String question) {
        return ResponseCreateParams.builder()
                .model(TestServer.MODEL)
                .temperature(0)
                .input(question);
    }

    private static Response whole(ResponseCreateParams params) {
        Response response = client.responses().create(params).validate();
        assertThat(response.status()).hasValue(ResponseStatus.COMPLETED);
        return response;
    }

    private static String text(Response response) {
        return response.output().stream()
                .flatMap(item -> item.message().stream())
                .flatMap(message -> message.content().stream())
                .flatMap(content -> content.outputText().stream())
                .map(ResponseOutputText::text)
                .collect(Collectors.joining());
    }

    @Test
    void aStreamSaysWhatTheWholeAnswerSays() {
        ResponseCreateParams params = ask("Tell me a little story.").build();
        Response whole = whole(params);
        assertThat(text(whole)).isNotBlank();

        ResponseAccumulator accumulator = ResponseAccumulator.create();
        List<ResponseStreamEvent> events;
        try (StreamResponse<ResponseStreamEvent> stream =
                client.responses().createStreaming(params)) {
            events =
                    stream.stream()
                            .map(ResponseStreamEvent::validate)
                            .map(accumulator::accumulate)
                            .toList();
        }
        assertThat(
                        events.stream()
                                .flatMap(event -> event.outputTextDelta().stream())
                                .map(delta -> delta.delta())
                                .collect(Collectors.joining()))
                .isEqualTo(text(whole));
        Response streamed = accumulator.response().validate();
        assertThat(text(streamed)).isEqualTo(text(whole));
        assertThat(streamed.usage().orElseThrow().outputTokens())
                .isEqualTo(whole.usage().orElseThrow().outputTokens());
    }

    @Test
    void aTalkGoesOnFromAnAnswerThatWasKept() {
        Response first = whole(ask("Where does Cora live?").build());
        assertThat(text(first)).isEqualTo("Cora lives in Larkwell.");
        Response second =
                whole(ask("And what work does she do?").previousResponseId(first.id()).build());
        assertThat(text(second)).contains("smith");
        assertThat(text(client.responses().retrieve(first.id()).validate())).isEqualTo(text(first));
        client.responses().delete(first.id());
        assertThat(
                        catchThrowableOfType(
                                        NotFoundException.class,
                                        () -> client.responses().retrieve(first.id()))
                                .type())
                .hasValue("invalid_request_error");
    }

    @Test
    void anAnswerIsAnObjectOfAClass() {
        StructuredResponse<Smith> response =
                client.responses()
                        .create(ask("Where does Cora live?").text(Smith.class).build())
                        .validate();
        Smith smith =
                response.output().stream()
                        .flatMap(item -> item.message().stream())
                        .flatMap(message -> message.content().stream())
                        .flatMap(content -> content.outputText().stream())
                        .findFirst()
                        .orElseThrow();
        // which one is the little model's matter; that it is one is the form's
        assertThat(smith.person).isNotNull();
    }

    @Test
    void aWrongFieldIsNamed() {
        assertThat(
                        catchThrowableOfType(
                                        BadRequestException.class,
                                        () -> whole(ask("x").temperature(3).build()))
                                .param())
                .hasValue("temperature");
    }
}
