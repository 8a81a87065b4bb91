package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionTokenLogprob;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionChoice;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.completions.CompletionUsage;
import com.openai.models.models.Model;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// OpenAI's own client for Java: texts. Every answer and chunk is put through its `validate`, which
/// fails on what is missing or of an unknown form.
class OpenAiJavaClientTest {
    private static final String STORY = "Tell me a little story.";

    private static TestServer server;
    private static OpenAIClient client;

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

    private static ChatCompletionCreateParams.Builder ask(String question) {
        return ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .temperature(0)
                .maxCompletionTokens(80)
                .addUserMessage(question);
    }

    private static ChatCompletion whole(ChatCompletionCreateParams params) {
        return client.chat().completions().create(params).validate();
    }

    private static List<ChatCompletionChunk> stream(ChatCompletionCreateParams params) {
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(params)) {
            return chunks.stream().map(ChatCompletionChunk::validate).toList();
        }
    }

    private static String text(ChatCompletion.Choice choice) {
        return choice.message().content().orElseThrow();
    }

    private static String text(ChatCompletion completion) {
        return text(completion.choices().getFirst());
    }

    private static String text(List<ChatCompletionChunk> chunks, int index) {
        return chunks.stream()
                .flatMap(chunk -> chunk.choices().stream())
                .filter(choice -> choice.index() == index)
                .flatMap(choice -> choice.delta().content().stream())
                .collect(Collectors.joining());
    }

    private static long promptTokens(ChatCompletion completion) {
        return completion.usage().orElseThrow().promptTokens();
    }

    private static ChatCompletionStreamOptions withUsage() {
        return ChatCompletionStreamOptions.builder().includeUsage(true).build();
    }

    @Test
    void answersAQuestion() {
        ChatCompletion completion = whole(ask("Where does Cora live?").build());
        assertThat(completion.id()).startsWith("chatcmpl-");
        assertThat(completion.model()).isEqualTo(TestServer.MODEL);
        assertThat(completion.systemFingerprint()).isPresent();
        assertThat(completion.choices()).hasSize(1);
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(text(choice)).isEqualTo("Cora lives in Larkwell.");
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(choice.message().refusal()).isEmpty();
        CompletionUsage usage = completion.usage().orElseThrow();
        assertThat(usage.promptTokens()).isPositive();
        assertThat(usage.completionTokens()).isPositive();
        assertThat(usage.totalTokens()).isEqualTo(usage.promptTokens() + usage.completionTokens());
    }

    @Test
    void temperatureZeroSaysTheSameTwice() {
        String first = text(whole(ask(STORY).build()));
        assertThat(first).isNotBlank();
        assertThat(text(whole(ask(STORY).build()))).isEqualTo(first);
    }

    @Test
    void aTalkGoesOn() {
        ChatCompletion second =
                whole(
                        ask("Where does Cora live?")
                                .addAssistantMessage("Cora lives in Larkwell.")
                                .addUserMessage("And what work does she do?")
                                .build());
        assertThat(text(second)).contains("smith");
    }

    @Test
    void systemAndDeveloperPromptsAreReadAlike() {
        ChatCompletionCreateParams.Builder first =
                ChatCompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .temperature(0)
                        .maxCompletionTokens(40);
        String role = "You know the valley of Tarn.";
        ChatCompletion neither = whole(ask("Who are you?").maxCompletionTokens(40).build());
        ChatCompletion system =
                whole(first.addSystemMessage(role).addUserMessage("Who are you?").build());
        ChatCompletion developer =
                whole(
                        first.messages(List.of())
                                .addDeveloperMessage(role)
                                .addUserMessage("Who are you?")
                                .build());
        assertThat(promptTokens(system)).isGreaterThan(promptTokens(neither));
        assertThat(promptTokens(developer)).isEqualTo(promptTokens(system));
        assertThat(text(developer)).isEqualTo(text(system));
    }

    @Test
    void aSeedSaysTheSameAgain() {
        List<String> texts =
                IntStream.range(0, 6)
                        .mapToObj(i -> whole(ask(STORY).temperature(1).seed(i % 3).build()))
                        .map(completion -> text(completion))
                        .toList();
        assertThat(texts.subList(3, 6)).isEqualTo(texts.subList(0, 3));
        assertThat(texts.stream().distinct().count()).isGreaterThan(1);
    }

    @Test
    void aStreamSaysWhatTheWholeAnswerSays() {
        ChatCompletion whole = whole(ask(STORY).build());
        List<ChatCompletionChunk> chunks = stream(ask(STORY).streamOptions(withUsage()).build());
        assertThat(text(chunks, 0)).isEqualTo(text(whole));
        assertThat(chunks.stream().map(ChatCompletionChunk::id).distinct()).hasSize(1);
        assertThat(chunks.getFirst().choices().getFirst().delta().role()).isPresent();

        ChatCompletionChunk last = chunks.getLast();
        assertThat(last.choices()).isEmpty();
        CompletionUsage usage = last.usage().orElseThrow();
        assertThat(usage.promptTokens()).isEqualTo(promptTokens(whole));
        assertThat(usage.completionTokens())
                .isEqualTo(whole.usage().orElseThrow().completionTokens());
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allSatisfy(chunk -> assertThat(chunk.usage()).isEmpty());

        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        chunks.forEach(accumulator::accumulate);
        ChatCompletion accumulated = accumulator.chatCompletion().validate();
        assertThat(text(accumulated)).isEqualTo(text(whole));
        assertThat(accumulated.choices().getFirst().finishReason())
                .isEqualTo(whole.choices().getFirst().finishReason());
    }

    @Test
    void aStreamHasNoUsageUnlessAsked() {
        List<ChatCompletionChunk> chunks = stream(ask(STORY).build());
        assertThat(chunks).allSatisfy(chunk -> assertThat(chunk.usage()).isEmpty());
        assertThat(chunks.getLast().choices().getFirst().finishReason()).isPresent();
    }

    @Test
    void twoAnswersAreWholeAndStreamedTheSame() {
        ChatCompletionCreateParams params = ask(STORY).temperature(1).seed(5).n(2).build();
        ChatCompletion whole = whole(params);
        assertThat(whole.choices())
                .extracting(ChatCompletion.Choice::index)
                .containsExactly(0L, 1L);
        assertThat(text(whole.choices().get(0))).isNotEqualTo(text(whole.choices().get(1)));
        List<ChatCompletionChunk> chunks = stream(params);
        for (int i = 0; i < 2; i++) {
            assertThat(text(chunks, i)).isEqualTo(text(whole.choices().get(i)));
        }
    }

    @Test
    void aStopTextEndsTheAnswerBeforeIt() {
        String all = text(whole(ask(STORY).build()));
        String word = all.split(" ")[4];
        ChatCompletion stopped = whole(ask(STORY).stop(word).build());
        assertThat(text(stopped)).isEqualTo(all.substring(0, all.indexOf(word)));
        assertThat(stopped.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        List<String> several = List.of("no such text", word);
        assertThat(text(stream(ask(STORY).stopOfStrings(several).build()), 0))
                .isEqualTo(text(stopped));
    }

    @Test
    void theMostTokensEndTheAnswer() {
        for (ChatCompletionCreateParams params :
                List.of(
                        ask(STORY).maxCompletionTokens(3).build(),
                        ask(STORY).maxCompletionTokens(Optional.empty()).maxTokens(3).build())) {
            ChatCompletion completion = whole(params);
            assertThat(completion.usage().orElseThrow().completionTokens()).isEqualTo(3);
            assertThat(completion.choices().getFirst().finishReason())
                    .isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
        }
    }

    @Test
    void logProbabilitiesAreOfTheTextsTokens() {
        ChatCompletionCreateParams params = ask(STORY).logprobs(true).topLogprobs(3).build();
        ChatCompletion whole = whole(params);
        List<ChatCompletionTokenLogprob> tokens =
                whole.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (ChatCompletionTokenLogprob token : tokens) {
            token.bytes().orElseThrow().forEach(b -> bytes.write(b.intValue()));
            assertThat(token.logprob()).isLessThanOrEqualTo(0);
            assertThat(token.topLogprobs()).hasSize(3);
            assertThat(token.topLogprobs().getFirst().token()).isEqualTo(token.token());
            assertThat(token.topLogprobs().getFirst().logprob()).isEqualTo(token.logprob());
        }
        assertThat(joined(tokens)).isEqualTo(text(whole));
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(text(whole));

        List<ChatCompletionTokenLogprob> streamed =
                stream(params).stream()
                        .flatMap(chunk -> chunk.choices().stream())
                        .flatMap(choice -> choice.logprobs().stream())
                        .flatMap(logprobs -> logprobs.content().stream())
                        .flatMap(List::stream)
                        .toList();
        assertThat(joined(streamed)).isEqualTo(text(whole));
        for (int i = 0; i < tokens.size(); i++) {
            assertThat(streamed.get(i).logprob()).isCloseTo(tokens.get(i).logprob(), within(1e-3));
        }
    }

    private static String joined(List<ChatCompletionTokenLogprob> tokens) {
        return tokens.stream().map(ChatCompletionTokenLogprob::token).collect(Collectors.joining());
    }

    @Test
    void aTokenThatIsBiasedAgainstNeverAppears() {
        String question = "Where does Cora live?";
        int banned = server.firstToken("Cora lives in Larkwell.");
        String word = server.engine().tokenizer().decode(new int[] {banned}, false);
        assertThat(text(whole(ask(question).build()))).startsWith(word);
        ChatCompletion without =
                whole(
                        ask(question)
                                .logitBias(
                                        ChatCompletionCreateParams.LogitBias.builder()
                                                .putAdditionalProperty(
                                                        Integer.toString(banned),
                                                        JsonValue.from(-100))
                                                .build())
                                .logprobs(true)
                                .build());
        List<ChatCompletionTokenLogprob> tokens =
                without.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
        assertThat(tokens).isNotEmpty();
        assertThat(tokens).noneSatisfy(token -> assertThat(token.token()).isEqualTo(word));
    }

    @Test
    void modelsAreListedAndFound() {
        List<Model> models = client.models().list().data();
        assertThat(models).extracting(Model::id).containsExactly(TestServer.MODEL);
        Model model = client.models().retrieve(TestServer.MODEL).validate();
        assertThat(model).isEqualTo(models.getFirst().validate());
        assertThat(model.ownedBy()).isEqualTo("system");
    }

    private static CompletionCreateParams.Builder complete(String prompt) {
        return CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .temperature(0)
                .maxTokens(12)
                .prompt(prompt);
    }

    private static Completion whole(CompletionCreateParams params) {
        return client.completions().create(params).validate();
    }

    @Test
    void aTextIsContinued() {
        Completion plain = whole(complete("Cora lives in").build());
        String continued = plain.choices().getFirst().text();
        assertThat(continued).contains("Larkwell");
        assertThat(plain.id()).startsWith("cmpl-");
        assertThat(plain.usage().orElseThrow().completionTokens()).isBetween(1L, 12L);

        Completion echoed = whole(complete("Cora lives in").echo(true).build());
        assertThat(echoed.choices().getFirst().text()).isEqualTo("Cora lives in" + continued);

        try (StreamResponse<Completion> chunks =
                client.completions().createStreaming(complete("Cora lives in").build())) {
            // its type for a chunk demands a finish reason, which only the last one has
            List<CompletionChoice> choices =
                    chunks.stream().flatMap(chunk -> chunk.choices().stream()).toList();
            assertThat(choices.stream().map(CompletionChoice::text).collect(Collectors.joining()))
                    .isEqualTo(continued);
            assertThat(choices.getLast().validate().finishReason())
                    .isEqualTo(plain.choices().getFirst().finishReason());
        }
    }

    @Test
    void aPromptAloneIsScored() {
        String prompt = "Cora lives in Larkwell.";
        // not validated: that fails on the null which a text's first token has in `top_logprobs`
        Completion scored =
                client.completions()
                        .create(complete(prompt).echo(true).maxTokens(0).logprobs(2).build());
        CompletionChoice choice = scored.choices().getFirst();
        assertThat(choice.text()).isEqualTo(prompt);
        assertThat(scored.usage().orElseThrow().completionTokens()).isZero();
        CompletionChoice.Logprobs logprobs = choice.logprobs().orElseThrow();
        List<String> tokens = logprobs.tokens().orElseThrow();
        List<Double> values = logprobs.tokenLogprobs().orElseThrow();
        assertThat(String.join("", tokens)).isEqualTo(prompt);
        assertThat(values).hasSameSizeAs(tokens);
        assertThat(values.getFirst()).isNull();
        assertThat(values.subList(1, values.size()))
                .allSatisfy(value -> assertThat(value).isLessThanOrEqualTo(0));
        assertThat(logprobs.topLogprobs().orElseThrow().subList(1, tokens.size()))
                .allSatisfy(top ->
                        assertThat(top.validate()._additionalProperties()).hasSizeBetween(2, 3));
        assertThat(logprobs.textOffset().orElseThrow().getLast())
                .isEqualTo(prompt.length() - tokens.getLast().length());
    }

    @Test
    void severalPromptsHaveSeveralAnswers() {
        Completion completion =
                whole(
                        complete("")
                                .promptOfArrayOfStrings(
                                        List.of("Cora lives in", "One rainy day", "Who are"))
                                .n(2)
                                .build());
        assertThat(completion.choices())
                .extracting(CompletionChoice::index)
                .containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(completion.choices().get(0).text()).contains("Larkwell");
        assertThat(completion.choices().get(1).text())
                .isEqualTo(completion.choices().get(0).text());
    }
}
