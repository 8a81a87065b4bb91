package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiSchemaTest {
    private static final String CHAT =
            """
            {"id": "chatcmpl-1", "object": "chat.completion", "created": 1767225600, "model": "m",
             "system_fingerprint": "fp", "choices": [{"index": 0,
               "message": {"role": "assistant", "content": "Hi", "refusal": null},
               "logprobs": {"content": [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105],
                 "top_logprobs": [{"token": "Hi", "logprob": -0.5, "bytes": null}]}], "refusal": null},
               "finish_reason": "stop"}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4,
               "prompt_tokens_details": {"cached_tokens": 0}}}\
            """;
    private static final String CALL =
            """
            {"id": "chatcmpl-1", "object": "chat.completion", "created": 1767225600, "model": "m",
             "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "refusal": null,
               "tool_calls": [{"id": "call_1", "type": "function",
                 "function": {"name": "weather", "arguments": "{}"}}]},
               "logprobs": null, "finish_reason": "tool_calls"}]}\
            """;
    private static final String CHUNK =
            """
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767225600, "model": "m",
             "choices": [{"index": 0, "delta": {"role": "assistant", "content": "", "tool_calls":
                 [{"index": 0, "id": "call_1", "type": "function", "function": {"arguments": "{"}}]},
               "logprobs": null, "finish_reason": null}], "usage": null}\
            """;
    private static final String COMPLETION =
            """
            {"id": "cmpl-1", "object": "text_completion", "created": 1767225600, "model": "m",
             "choices": [{"index": 0, "text": "Hi", "finish_reason": "length", "logprobs":
               {"tokens": ["Hi"], "token_logprobs": [-0.5], "text_offset": [0],
                "top_logprobs": [{"Hi": -0.5}]}}],
             "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}\
            """;
    private static final String MODELS =
            """
            {"object": "list", "data": [
              {"id": "m", "object": "model", "created": 1767225600, "owned_by": "system"}]}\
            """;
    private static final String ERROR =
            """
            {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages",
              "code": null}}\
            """;
    private static final String RESPONSE =
            """
            {"id": "resp_1", "object": "response", "created_at": 1767225600, "status": "completed",
             "error": null, "incomplete_details": null, "instructions": null, "model": "m",
             "output": [
               {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content":
                 [{"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}]},
               {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "weather",
                 "arguments": "{}", "status": "completed"}],
             "parallel_tool_calls": true, "metadata": {}, "temperature": 1, "top_p": 1,
             "tools": [{"type": "function", "name": "weather", "strict": true, "parameters": {}}],
             "tool_choice": "auto", "text": {"format": {"type": "text"}},
             "usage": {"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0,
                 "cache_write_tokens": 0}, "output_tokens": 1,
               "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 4}}\
            """;

    private static String good(String schema) {
        return switch (schema) {
            case "CreateChatCompletionResponse" -> CHAT;
            case "CreateChatCompletionStreamResponse" -> CHUNK;
            case "CreateCompletionResponse" -> COMPLETION;
            case "ListModelsResponse" -> MODELS;
            case "ErrorResponse" -> ERROR;
            case "Response" -> RESPONSE;
            default -> throw new IllegalArgumentException(schema);
        };
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CreateChatCompletionResponse",
                "CreateChatCompletionStreamResponse",
                "CreateCompletionResponse",
                "ListModelsResponse",
                "ErrorResponse",
                "Response"
            })
    void takesAGoodAnswer(String schema) {
        assertThat(OpenAiSchema.faults(schema, good(schema))).isEmpty();
    }

    @Test
    void takesOtherGoodAnswers() {
        OpenAiSchema.check("CreateChatCompletionResponse", CALL);
        // the last chunk of a stream that counts
        OpenAiSchema.check(
                "CreateChatCompletionStreamResponse",
                """
                {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                 "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}\
                """);
        OpenAiSchema.check(
                "CreateCompletionStreamResponse",
                """
                {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
                 "choices": [{"index": 0, "text": "Hi", "logprobs": null, "finish_reason": null}],
                 "usage": null}\
                """);
        OpenAiSchema.check(
                "NimModel",
                """
                {"id": "m", "object": "model", "created": 1, "owned_by": "system", "root": "m",
                 "parent": null, "max_model_len": 256, "permission": [{"id": "modelperm-1",
                   "object": "model_permission", "created": 1, "allow_sampling": true, "group": null}]}\
                """);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type': 'response.created', 'sequence_number': 0, 'response': RESPONSE}",
                "{'type': 'response.in_progress', 'sequence_number': 1, 'response': RESPONSE}",
                "{'type': 'response.output_item.added', 'sequence_number': 2, 'output_index': 0, 'item':"
                        + " {'id': 'm', 'type': 'message', 'role': 'assistant', 'status': 'in_progress', 'content': []}}",
                "{'type': 'response.content_part.added', 'sequence_number': 3, 'item_id': 'm', 'output_index': 0,"
                        + " 'content_index': 0, 'part': {'type': 'output_text', 'text': '', 'annotations': [], 'logprobs': []}}",
                "{'type': 'response.output_text.delta', 'sequence_number': 4, 'item_id': 'm', 'output_index': 0,"
                        + " 'content_index': 0, 'delta': 'Hi', 'logprobs': [{'token': 'Hi', 'logprob': -1}]}",
                "{'type': 'response.output_text.done', 'sequence_number': 5, 'item_id': 'm', 'output_index': 0,"
                        + " 'content_index': 0, 'text': 'Hi', 'logprobs': []}",
                "{'type': 'response.content_part.done', 'sequence_number': 6, 'item_id': 'm', 'output_index': 0,"
                        + " 'content_index': 0, 'part': {'type': 'output_text', 'text': 'Hi', 'annotations': [], 'logprobs': []}}",
                "{'type': 'response.output_item.done', 'sequence_number': 7, 'output_index': 0, 'item':"
                        + " {'type': 'function_call', 'call_id': 'c', 'name': 'weather', 'arguments': '{}'}}",
                "{'type': 'response.function_call_arguments.delta', 'sequence_number': 8, 'item_id': 'f',"
                        + " 'output_index': 1, 'delta': '{'}",
                "{'type': 'response.function_call_arguments.done', 'sequence_number': 9, 'item_id': 'f',"
                        + " 'output_index': 1, 'name': 'weather', 'arguments': '{}'}",
                "{'type': 'response.completed', 'sequence_number': 10, 'response': RESPONSE}",
                "{'type': 'response.incomplete', 'sequence_number': 10, 'response': RESPONSE}",
                "{'type': 'response.failed', 'sequence_number': 10, 'response': RESPONSE}",
                "{'type': 'error', 'sequence_number': 10, 'code': null, 'message': 'failed', 'param': null}"
            })
    void takesEveryEventAndNoneWithoutItsNumber(String event) {
        String json = event.replace('\'', '"').replace("RESPONSE", RESPONSE);
        OpenAiSchema.check("ResponseStreamEvent", json);
        assertThat(
                        OpenAiSchema.faults(
                                "ResponseStreamEvent",
                                json.replaceFirst("\"sequence_number\": \\d+, ", "")))
                .singleElement()
                .asString()
                .contains("sequence_number");
    }

    /// Schema, what is there, what comes in its place, and what the fault has to speak of.
    @ParameterizedTest(name = "{0}: {2}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    CreateChatCompletionResponse | "id": "chatcmpl-1", | `` | 'id'
                    CreateChatCompletionResponse | "id": "chatcmpl-1" | "id": 1 | /id
                    CreateChatCompletionResponse | "chat.completion" | "chat.completion.chunk" | /object
                    CreateChatCompletionResponse | 1767225600 | "2026-01-01" | /created
                    CreateChatCompletionResponse | "index": 0 | "index": "0" | /choices/0/index
                    CreateChatCompletionResponse | "finish_reason": "stop" | "finish_reason": "abort" | finish_reason
                    CreateChatCompletionResponse | "finish_reason": "stop" | "finish_reason": null | finish_reason
                    CreateChatCompletionResponse | , "refusal": null}, | }, | 'refusal'
                    CreateChatCompletionResponse | "role": "assistant" | "role": "user" | /choices/0/message/role
                    CreateChatCompletionResponse | "total_tokens": 4, | `` | 'total_tokens'
                    CreateChatCompletionResponse | "cached_tokens": 0 | "cached_tokens": 0.5 | cached_tokens
                    CreateChatCompletionResponse | "logprob": -0.5, "bytes": [72 | "logprob": "-0.5", "bytes": [72 | logprob
                    CreateChatCompletionResponse | "bytes": [72, 105] | "bytes": "Hi" | bytes
                    CreateChatCompletionResponse | , "bytes": null | `` | 'bytes'
                    CreateChatCompletionResponse | }], "refusal": null} | }]} | 'refusal'
                    CreateChatCompletionResponse | "model": "m", | "model": "m", "error": null, | 'error'
                    CreateChatCompletionResponse | "model": "m", | "model": "m", "model": "m", | Duplicate
                    CreateChatCompletionStreamResponse | "delta": | "message": | 'delta'
                    CreateChatCompletionStreamResponse | , "finish_reason": null | `` | 'finish_reason'
                    CreateChatCompletionStreamResponse | [{"index": 0, "id" | [{"id" | 'index'
                    CreateChatCompletionStreamResponse | "arguments": "{" | "arguments": {} | arguments
                    CreateChatCompletionStreamResponse | "usage": null | "usage": {} | 'total_tokens'
                    CreateCompletionResponse | "text": "Hi", | `` | 'text'
                    CreateCompletionResponse | "length" | "tool_calls" | finish_reason
                    CreateCompletionResponse | "top_logprobs": [{"Hi": -0.5}] | "top_logprobs": {"Hi": -0.5} | top_logprobs
                    ListModelsResponse | , "owned_by": "system" | `` | 'owned_by'
                    ListModelsResponse | "owned_by": "system" | "owned_by": "system", "root": "m" | 'root'
                    ErrorResponse | "code": null | "code": 400 | /error/code
                    ErrorResponse | "param": "messages", | `` | 'param'
                    Response | "status": "completed", | "status": "done", | /status
                    Response | , "annotations": [] | `` | 'annotations'
                    Response | "call_id": "call_1", | `` | 'call_id'
                    Response | "cache_write_tokens": 0 | "cached": 0 | 'cache_write_tokens'
                    Response | "error": null, | `` | 'error'
                    """)
    void findsAFault(String schema, String is, String becomes, String told) {
        String good = good(schema);
        assertThat(good).contains(is);
        String broken = good.replaceFirst(java.util.regex.Pattern.quote(is), becomes);
        assertThat(OpenAiSchema.faults(schema, broken))
                .anySatisfy(fault -> assertThat(fault).contains(told));
        assertThatThrownBy(() -> OpenAiSchema.check(schema, broken))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(told);
    }

    @Test
    void choicesAreNeverNull() {
        String broken =
                CHUNK.replaceFirst(
                        "(?s)\\[\\{\"index\": 0, \"delta\".*}], \"usage\"", "null, \"usage\"");
        assertThat(broken).contains("\"choices\": null");
        assertThat(OpenAiSchema.faults("CreateChatCompletionStreamResponse", broken))
                .singleElement()
                .asString()
                .contains("/choices");
    }

    @Test
    void whatIsNoJsonIsAFault() {
        assertThat(OpenAiSchema.faults("ErrorResponse", "[DONE]"))
                .singleElement()
                .asString()
                .startsWith("no JSON");
        assertThat(OpenAiSchema.faults("ErrorResponse", ERROR + "{}")).isNotEmpty();
        assertThat(OpenAiSchema.faults("ResponseStreamEvent", "{\"type\": \"response.unknown\"}"))
                .isNotEmpty();
    }
}
