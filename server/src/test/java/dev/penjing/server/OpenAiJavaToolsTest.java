package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonObject;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.chat.completions.StructuredChatCompletion;
import com.openai.models.chat.completions.StructuredChatCompletionCreateParams;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// OpenAI's own client for Java: calls of functions, and answers of a given form.
class OpenAiJavaToolsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String QUESTION = "Where does Cora live?";

    private static TestServer server;
    private static OpenAIClient client;

    enum Person {
        Ada,
        Cora
    }

    enum Village {
        Larkwell,
        Elmford
    }

    /// A function by the client's own way of making one of a class.
    @JsonTypeName("find_home")
    @JsonClassDescription("Says where a person lives.")
    static class FindHome {
        public @Nullable Person person;
        public boolean exact;
    }

    static class Home {
        public @Nullable Person person;
        public @Nullable Village village;
        public boolean smith;
    }

    static class Homes {
        public @Nullable Home first;
        public @Nullable Home second;
    }

    @BeforeAll
    static void start() {
        server = TestServer.start(new TestServer.Setup(List.of(), 256, 64, 1024));
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

    private static ChatCompletionCreateParams.Builder ask() {
        return ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .temperature(0)
                .addUserMessage(QUESTION);
    }

    private static ChatCompletionToolChoiceOption named(String name) {
        return ChatCompletionToolChoiceOption.ofNamedToolChoice(
                ChatCompletionNamedToolChoice.builder()
                        .function(
                                ChatCompletionNamedToolChoice.Function.builder().name(name).build())
                        .build());
    }

    private static ChatCompletionToolChoiceOption choice(
            ChatCompletionToolChoiceOption.Auto choice) {
        return ChatCompletionToolChoiceOption.ofAuto(choice);
    }

    private static ChatCompletionCreateParams calling(ChatCompletionToolChoiceOption choice) {
        FunctionParameters none =
                FunctionParameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty("properties", JsonValue.from(Map.of()))
                        .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                        .build();
        return ask().addTool(FindHome.class)
                .addFunctionTool(FunctionDefinition.builder().name("rest").parameters(none).build())
                .toolChoice(choice)
                .build();
    }

    private static ChatCompletion whole(ChatCompletionCreateParams params) {
        return client.chat().completions().create(params).validate();
    }

    private static ChatCompletion streamed(ChatCompletionCreateParams params) {
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(params)) {
            chunks.stream().map(ChatCompletionChunk::validate).forEach(accumulator::accumulate);
        }
        return accumulator.chatCompletion().validate();
    }

    private static ChatCompletionMessageFunctionToolCall onlyCall(ChatCompletion completion) {
        ChatCompletion.Choice choice = completion.choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        assertThat(choice.message().toolCalls().orElseThrow()).hasSize(1);
        return choice.message().toolCalls().orElseThrow().getFirst().asFunction();
    }

    private static void isFindHome(ChatCompletionMessageFunctionToolCall call) {
        assertThat(call.id()).startsWith("call_");
        assertThat(call.function().name()).isEqualTo("find_home");
        FindHome arguments = call.function().arguments(FindHome.class);
        assertThat(arguments.person).isNotNull();
        JsonNode json = JSON.readTree(call.function().arguments());
        assertThat(json.propertyNames()).containsExactlyInAnyOrder("person", "exact");
    }

    @Test
    void aNamedFunctionIsCalled() {
        ChatCompletionCreateParams params = calling(named("find_home"));
        ChatCompletion whole = whole(params);
        isFindHome(onlyCall(whole));
        assertThat(whole.choices().getFirst().message().content()).isEmpty();
        ChatCompletionMessageFunctionToolCall streamed = onlyCall(streamed(params));
        isFindHome(streamed);
        assertThat(streamed.function()).isEqualTo(onlyCall(whole).function());
    }

    @Test
    void theOtherFunctionCanBeNamedToo() {
        ChatCompletionMessageFunctionToolCall call = onlyCall(whole(calling(named("rest"))));
        assertThat(call.function().name()).isEqualTo("rest");
        assertThat(JSON.readTree(call.function().arguments()).isEmpty()).isTrue();
    }

    @Test
    void someFunctionIsCalledIfOneMustBe() {
        ChatCompletionCreateParams params =
                calling(choice(ChatCompletionToolChoiceOption.Auto.REQUIRED));
        ChatCompletionMessageFunctionToolCall call = onlyCall(whole(params));
        assertThat(call.function().name()).isIn("find_home", "rest");
        if (call.function().name().equals("find_home")) {
            isFindHome(call);
        }
        assertThat(onlyCall(streamed(params)).function()).isEqualTo(call.function());
    }

    @Test
    void noFunctionHasToBeCalled() {
        for (ChatCompletionToolChoiceOption.Auto how :
                List.of(
                        ChatCompletionToolChoiceOption.Auto.AUTO,
                        ChatCompletionToolChoiceOption.Auto.NONE)) {
            ChatCompletionCreateParams params =
                    calling(choice(how)).toBuilder().maxCompletionTokens(20).build();
            ChatCompletion.Choice whole = whole(params).choices().getFirst();
            assertThat(whole.message().toolCalls()).isEmpty();
            assertThat(whole.message().content().orElseThrow()).isNotBlank();
            ChatCompletion.Choice streamed = streamed(params).choices().getFirst();
            assertThat(streamed.message().content()).isEqualTo(whole.message().content());
            assertThat(streamed.finishReason()).isEqualTo(whole.finishReason());
        }
        ChatCompletion none = whole(calling(choice(ChatCompletionToolChoiceOption.Auto.NONE)));
        assertThat(none.choices().getFirst().message().content())
                .hasValue("Cora lives in Larkwell.");
    }

    @Test
    void aFunctionsResultIsReadAndTheTalkGoesOn() {
        ChatCompletionCreateParams params = calling(named("find_home"));
        ChatCompletion first = whole(params);
        ChatCompletion second =
                whole(
                        params.toBuilder()
                                .addMessage(first.choices().getFirst().message())
                                .addMessage(
                                        ChatCompletionToolMessageParam.builder()
                                                .toolCallId(onlyCall(first).id())
                                                .content("Larkwell")
                                                .build())
                                .toolChoice(ChatCompletionToolChoiceOption.Auto.NONE)
                                .maxCompletionTokens(10)
                                .build());
        assertThat(second.choices().getFirst().message().content()).isPresent();
        assertThat(second.usage().orElseThrow().promptTokens())
                .isGreaterThan(whole(ask().build()).usage().orElseThrow().promptTokens());
    }

    @Test
    void anAnswerIsAnObjectOfAClass() {
        StructuredChatCompletionCreateParams<Home> params =
                ask().responseFormat(Home.class).build();
        StructuredChatCompletion<Home> completion =
                client.chat().completions().create(params).validate();
        StructuredChatCompletion.Choice<Home> choice = completion.choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        Home home = choice.message().content().orElseThrow();
        // which one is the little model's matter; that it is one is the form's
        assertThat(home.person).isNotNull();
        assertThat(home.village).isNotNull();

        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(params)) {
            chunks.stream().map(ChatCompletionChunk::validate).forEach(accumulator::accumulate);
        }
        Home streamed =
                accumulator
                        .chatCompletion(Home.class)
                        .choices()
                        .getFirst()
                        .message()
                        .content()
                        .orElseThrow();
        assertThat(streamed).usingRecursiveComparison().isEqualTo(home);
    }

    @Test
    void classesMayHoldOthers() {
        StructuredChatCompletion<Homes> completion =
                client.chat()
                        .completions()
                        .create(ask().responseFormat(Homes.class).build())
                        .validate();
        assertThat(completion.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        Homes homes = completion.choices().getFirst().message().content().orElseThrow();
        assertThat(homes.first).isNotNull();
        assertThat(homes.second).isNotNull();
    }

    @Test
    void anyObjectIsAnObject() {
        // the model knows no JSON: it is told where to end
        ChatCompletionCreateParams params =
                ask().responseFormat(ResponseFormatJsonObject.builder().build())
                        .logitBias(
                                ChatCompletionCreateParams.LogitBias.builder()
                                        .putAdditionalProperty(
                                                Integer.toString(server.firstToken("}")),
                                                JsonValue.from(100))
                                        .build())
                        .build();
        ChatCompletion.Choice choice = whole(params).choices().getFirst();
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(JSON.readTree(choice.message().content().orElseThrow()).isObject()).isTrue();
    }
}
