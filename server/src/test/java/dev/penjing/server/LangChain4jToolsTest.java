package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiChatRequestParameters;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// LangChain4j's client for OpenAI's interface: calls of functions, and answers of a given form.
class LangChain4jToolsTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String QUESTION = "Where does Cora live?";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(new TestServer.Setup(List.of(), 256, 64, 1024));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder model() {
        return OpenAiChatModel.builder()
                .baseUrl(server.url())
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

    private static ChatRequest.Builder ask() {
        return ChatRequest.builder().messages(UserMessage.from(QUESTION));
    }

    private static JsonObjectSchema home() {
        return JsonObjectSchema.builder()
                .addEnumProperty("person", List.of("Ada", "Cora"))
                .addEnumProperty("village", List.of("Larkwell", "Elmford"))
                .addBooleanProperty("smith")
                .required("person", "village", "smith")
                .additionalProperties(false)
                .build();
    }

    private static final ToolSpecification TOOL =
            ToolSpecification.builder()
                    .name("remember_home")
                    .description("Keeps in mind where a person lives.")
                    .parameters(home())
                    .build();

    private static void isHome(String json) {
        JsonNode node = JSON.readTree(json);
        assertThat(node.propertyNames()).containsExactly("person", "village", "smith");
        assertThat(node.get("person").asString()).isIn("Ada", "Cora");
        assertThat(node.get("village").asString()).isIn("Larkwell", "Elmford");
        assertThat(node.get("smith").isBoolean()).isTrue();
    }

    @Test
    void aFunctionIsCalledIfOneMustBe() {
        ChatRequest request =
                ask().toolSpecifications(TOOL).toolChoice(ToolChoice.REQUIRED).build();
        OpenAiChatModel model = model().strictTools(true).build();
        ChatResponse whole = model.chat(request);
        assertThat(whole.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        assertThat(whole.aiMessage().toolExecutionRequests()).hasSize(1);
        ToolExecutionRequest call = whole.aiMessage().toolExecutionRequests().getFirst();
        assertThat(call.name()).isEqualTo("remember_home");
        isHome(call.arguments());

        LangChain4jStream streamed =
                LangChain4jStream.of(streaming().strictTools(true).build(), request);
        assertThat(streamed.await().finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        assertThat(streamed.calls).hasSize(1);
        ToolExecutionRequest same = streamed.calls.element().toolExecutionRequest();
        assertThat(same.name()).isEqualTo(call.name());
        assertThat(same.arguments()).isEqualTo(call.arguments());

        ChatResponse after =
                model.chat(
                        ChatRequest.builder()
                                .messages(
                                        UserMessage.from(QUESTION),
                                        whole.aiMessage(),
                                        ToolExecutionResultMessage.from(call, "done"))
                                .parameters(
                                        OpenAiChatRequestParameters.builder()
                                                .maxCompletionTokens(10)
                                                .build())
                                .build());
        assertThat(after.aiMessage().text()).isNotNull();
    }

    @Test
    void aFunctionCanBeNamed() {
        ChatRequest request =
                ask().parameters(
                                OpenAiChatRequestParameters.builder()
                                        .toolSpecifications(TOOL)
                                        .customParameters(
                                                Map.of(
                                                        "tool_choice",
                                                        Map.of(
                                                                "type",
                                                                "function",
                                                                "function",
                                                                Map.of("name", TOOL.name()))))
                                        .build())
                        .build();
        LangChain4jStream streamed = LangChain4jStream.of(streaming().build(), request);
        assertThat(streamed.calls).hasSize(1);
        isHome(streamed.calls.element().toolExecutionRequest().arguments());
    }

    @Test
    void noFunctionHasToBeCalled() {
        for (ToolChoice choice : List.of(ToolChoice.AUTO, ToolChoice.NONE)) {
            ChatRequest request =
                    ask().parameters(
                                    OpenAiChatRequestParameters.builder()
                                            .toolSpecifications(TOOL)
                                            .toolChoice(choice)
                                            .maxCompletionTokens(20)
                                            .build())
                            .build();
            ChatResponse whole = model().build().chat(request);
            assertThat(whole.aiMessage().hasToolExecutionRequests()).isFalse();
            assertThat(whole.aiMessage().text()).isNotBlank();
            assertThat(LangChain4jStream.of(streaming().build(), request).text)
                    .hasToString(whole.aiMessage().text());
        }
    }

    @Test
    void anAnswerHasTheFormOfASchema() {
        ResponseFormat format =
                ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(JsonSchema.builder().name("Home").rootElement(home()).build())
                        .build();
        ChatRequest request = ask().responseFormat(format).build();
        ChatResponse whole = model().strictJsonSchema(true).build().chat(request);
        assertThat(whole.finishReason()).isEqualTo(FinishReason.STOP);
        isHome(whole.aiMessage().text());
        assertThat(JSON.readTree(whole.aiMessage().text()).get("village").asString())
                .isEqualTo("Larkwell");
        assertThat(LangChain4jStream.of(streaming().strictJsonSchema(true).build(), request).text)
                .hasToString(whole.aiMessage().text());
    }

    @Test
    void anyObjectIsAnObject() {
        // the model knows no JSON: it is told where to end
        ChatResponse response =
                model().logitBias(Map.of(Integer.toString(server.firstToken("}")), 100))
                        .responseFormat(ResponseFormat.JSON)
                        .build()
                        .chat(ask().build());
        assertThat(JSON.readTree(response.aiMessage().text()).isObject()).isTrue();
    }
}
