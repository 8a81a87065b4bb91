package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.StreamingResponseHandler;
import dev.langchain4j.model.catalog.ModelDescription;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.openai.LogProb;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import dev.langchain4j.model.openai.OpenAiChatResponseMetadata;
import dev.langchain4j.model.openai.OpenAiLanguageModel;
import dev.langchain4j.model.openai.OpenAiModelCatalog;
import dev.langchain4j.model.openai.OpenAiResponsesChatModel;
import dev.langchain4j.model.openai.OpenAiResponsesStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingLanguageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// LangChain4j's client for OpenAI's interface: texts, and what goes wrong.
class LangChain4jClientTest {
    private static final String QUESTION = "Where does Cora live?";
    private static final String ANSWER = "Cora lives in Larkwell.";
    private static final String STORY = "Tell me a little story.";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void nothingIsLeftRunning() {
        server.awaitIdle();
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder model() {
        return model(server);
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder model(TestServer at) {
        return OpenAiChatModel.builder()
                .baseUrl(at.url())
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .maxRetries(0);
    }

    private static OpenAiStreamingChatModel.OpenAiStreamingChatModelBuilder streaming() {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(server.url())
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0);
    }

    private static ChatRequest.Builder ask(String question) {
        return ChatRequest.builder().messages(UserMessage.from(question));
    }

    private static Map<String, Object> many() {
        return Map.of("n", TestServer.MANY, "ignore_eos", true);
    }

    private static ChatRequest busy() {
        return ask(STORY)
                .parameters(
                        OpenAiChatRequestParameters.builder()
                                .maxCompletionTokens(TestServer.LONG)
                                .customParameters(many())
                                .build())
                .build();
    }

    @Test
    void answersTheSameTwice() {
        OpenAiChatModel model = model().build();
        ChatResponse response = model.chat(ask(QUESTION).build());
        assertThat(response.aiMessage().text()).isEqualTo(ANSWER);
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.modelName()).isEqualTo(TestServer.MODEL);
        assertThat(response.tokenUsage().inputTokenCount()).isPositive();
        assertThat(response.tokenUsage().outputTokenCount()).isPositive();
        assertThat(model.chat(QUESTION)).isEqualTo(ANSWER);
    }

    @Test
    void aTalkWithASystemPromptGoesOn() {
        OpenAiChatModel model = model().maxCompletionTokens(30).build();
        ChatResponse alone = model.chat(ask("And what work does she do?").build());
        ChatResponse after =
                model.chat(
                        SystemMessage.from("You know the valley of Tarn."),
                        UserMessage.from(QUESTION),
                        AiMessage.from(ANSWER),
                        UserMessage.from("And what work does she do?"));
        assertThat(after.aiMessage().text()).contains("smith");
        assertThat(after.tokenUsage().inputTokenCount())
                .isGreaterThan(alone.tokenUsage().inputTokenCount());
    }

    @Test
    void aSeedSaysTheSameAgain() {
        String first = model().temperature(1.0).seed(1).maxTokens(60).build().chat(STORY);
        String other = model().temperature(1.0).seed(2).maxTokens(60).build().chat(STORY);
        assertThat(model().temperature(1.0).seed(1).maxTokens(60).build().chat(STORY))
                .isEqualTo(first);
        assertThat(other).isNotEqualTo(first);
    }

    @Test
    void aStreamSaysWhatTheWholeAnswerSays() {
        ChatResponse whole = model().maxCompletionTokens(80).build().chat(ask(STORY).build());
        LangChain4jStream streamed =
                LangChain4jStream.of(
                        streaming().maxCompletionTokens(80).build(), ask(STORY).build());
        assertThat(streamed.text).hasToString(whole.aiMessage().text());
        ChatResponse end = streamed.await();
        assertThat(end.aiMessage().text()).isEqualTo(whole.aiMessage().text());
        assertThat(end.finishReason()).isEqualTo(whole.finishReason());
        assertThat(end.tokenUsage().inputTokenCount())
                .isEqualTo(whole.tokenUsage().inputTokenCount());
        assertThat(end.tokenUsage().outputTokenCount())
                .isEqualTo(whole.tokenUsage().outputTokenCount());
    }

    @Test
    void aStopTextAndTheMostTokensEndTheAnswer() {
        ChatResponse stopped = model().stop(List.of(" in ")).build().chat(ask(QUESTION).build());
        assertThat(stopped.aiMessage().text()).isEqualTo("Cora lives");
        assertThat(stopped.finishReason()).isEqualTo(FinishReason.STOP);
        ChatResponse cut = model().maxTokens(2).build().chat(ask(QUESTION).build());
        assertThat(ANSWER).startsWith(cut.aiMessage().text());
        assertThat(cut.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(cut.tokenUsage().outputTokenCount()).isEqualTo(2);
    }

    @Test
    void logProbabilitiesAreOfTheTextsTokens() {
        ChatResponse response =
                model().logprobs(true).topLogprobs(2).build().chat(ask(QUESTION).build());
        List<LogProb> tokens = ((OpenAiChatResponseMetadata) response.metadata()).logProbs();
        assertThat(tokens.stream().map(LogProb::token).collect(Collectors.joining()))
                .isEqualTo(ANSWER);
        assertThat(tokens)
                .allSatisfy(token -> {
                    assertThat(token.logprob()).isLessThanOrEqualTo(0);
                    assertThat(token.topLogprobs()).hasSize(2);
                });
    }

    @Test
    void aTokenThatIsBiasedAgainstNeverAppears() {
        int banned = server.firstToken(ANSWER);
        ChatResponse response =
                model().logitBias(Map.of(Integer.toString(banned), -100))
                        .logprobs(true)
                        .maxTokens(40)
                        .build()
                        .chat(ask(QUESTION).build());
        String word = server.engine().tokenizer().decode(new int[] {banned}, false);
        assertThat(ANSWER).startsWith(word);
        List<LogProb> tokens = ((OpenAiChatResponseMetadata) response.metadata()).logProbs();
        assertThat(tokens).extracting(LogProb::token).isNotEmpty().doesNotContain(word);
    }

    @Test
    void responsesAreAnsweredToo() {
        ChatResponse whole =
                OpenAiResponsesChatModel.builder()
                        .baseUrl(server.url())
                        .apiKey("none")
                        .modelName(TestServer.MODEL)
                        .temperature(0.0)
                        .build()
                        .chat(ask(QUESTION).build());
        assertThat(whole.aiMessage().text()).isEqualTo(ANSWER);
        assertThat(whole.finishReason()).isEqualTo(FinishReason.STOP);

        LangChain4jStream streamed = new LangChain4jStream();
        OpenAiResponsesStreamingChatModel.builder()
                .baseUrl(server.url())
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .build()
                .chat(ask(QUESTION).build(), streamed);
        assertThat(streamed.await().aiMessage().text()).isEqualTo(ANSWER);
        assertThat(streamed.text).hasToString(ANSWER);
    }

    @Test
    void modelsAreListed() {
        List<ModelDescription> models =
                OpenAiModelCatalog.builder()
                        .baseUrl(server.url())
                        .apiKey("none")
                        .build()
                        .listModels();
        assertThat(models).extracting(ModelDescription::name).containsExactly(TestServer.MODEL);
    }

    @Test
    void aTextIsContinued() {
        Response<String> whole =
                OpenAiLanguageModel.builder()
                        .baseUrl(server.url())
                        .apiKey("none")
                        .modelName(TestServer.MODEL)
                        .temperature(0.0)
                        .maxRetries(0)
                        .build()
                        .generate("Cora lives in");
        assertThat(whole.content()).contains("Larkwell");
        assertThat(whole.finishReason()).isEqualTo(FinishReason.STOP);

        StringBuilder text = new StringBuilder();
        CompletableFuture<Response<String>> end = new CompletableFuture<>();
        OpenAiStreamingLanguageModel.builder()
                .baseUrl(server.url())
                .apiKey("none")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .build()
                .generate(
                        "Cora lives in",
                        new StreamingResponseHandler<>() {
                            @Override
                            public void onNext(String token) {
                                text.append(token);
                            }

                            @Override
                            public void onComplete(Response<String> response) {
                                end.complete(response);
                            }

                            @Override
                            public void onError(Throwable error) {
                                end.completeExceptionally(error);
                            }
                        });
        Response<String> streamed = end.orTimeout(30, TimeUnit.SECONDS).join();
        assertThat(text).hasToString(whole.content());
        assertThat(streamed.finishReason()).isEqualTo(whole.finishReason());
        assertThat(streamed.tokenUsage()).isNotNull().isEqualTo(whole.tokenUsage());
    }

    @Test
    void whatIsWrongIsSaid() {
        InvalidRequestException wrong =
                catchThrowableOfType(
                        InvalidRequestException.class,
                        () -> model().temperature(3.0).build().chat(QUESTION));
        assertThat(wrong.getMessage()).contains("\"param\":\"temperature\"");
        assertThatThrownBy(() -> model().build().chat("x ".repeat(2000)))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("context_length_exceeded");
        assertThatThrownBy(() -> model().modelName("other").build().chat(QUESTION))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("model_not_found");
        LangChain4jStream collected = new LangChain4jStream();
        streaming().modelName("other").build().chat(QUESTION, collected);
        assertThatThrownBy(collected::await).hasCauseInstanceOf(ModelNotFoundException.class);
    }

    @Test
    void aClientThatWaitsNoLongerFreesTheEngine() {
        OpenAiChatModel hasty = model().timeout(Duration.ofMillis(500)).build();
        CompletableFuture<Void> asked = CompletableFuture.runAsync(() -> hasty.chat(busy()));
        server.awaitBusy();
        assertThatThrownBy(asked::join).hasCauseInstanceOf(TimeoutException.class);
        server.awaitIdle();
    }

    @Test
    void aStreamThatIsCancelledFreesTheEngine() {
        CompletableFuture<PartialResponseContext> begun = new CompletableFuture<>();
        streaming()
                .build()
                .chat(
                        busy(),
                        new LangChain4jStream() {
                            @Override
                            public void onPartialResponse(
                                    PartialResponse part, PartialResponseContext context) {
                                context.streamingHandle().cancel();
                                begun.complete(context);
                            }
                        });
        assertThat(begun.orTimeout(30, TimeUnit.SECONDS).join().streamingHandle().isCancelled())
                .isTrue();
        server.awaitIdle();
    }

    @Test
    void aKeyAndAPlaceInTheQueueAreNeeded() {
        String key = "the-right-key";
        TestServer.Setup narrow = new TestServer.Setup(List.of(key), 1, 1, 256);
        try (TestServer other = TestServer.start(narrow)) {
            assertThat(model(other).apiKey(key).build().chat(QUESTION)).isEqualTo(ANSWER);
            AuthenticationException refused =
                    catchThrowableOfType(
                            AuthenticationException.class,
                            () -> model(other).build().chat(QUESTION));
            assertThat(refused).hasCauseInstanceOf(HttpException.class);

            CompletableFuture<StreamingHandle> busy = new CompletableFuture<>();
            streaming()
                    .baseUrl(other.url())
                    .apiKey(key)
                    .build()
                    .chat(
                            busy(),
                            new LangChain4jStream() {
                                @Override
                                public void onPartialResponse(
                                        PartialResponse part, PartialResponseContext context) {
                                    busy.complete(context.streamingHandle());
                                }
                            });
            StreamingHandle handle = busy.orTimeout(30, TimeUnit.SECONDS).join();
            // it tries again after times of its own, whatever Retry-After says
            assertThatThrownBy(() -> model(other).apiKey(key).maxRetries(1).build().chat(QUESTION))
                    .isInstanceOf(RateLimitException.class)
                    .hasMessageContaining("queue_full");
            handle.cancel();
            other.awaitIdle();
        }
    }
}
