package dev.penjing.server.openai;

import dev.penjing.server.http.JsonFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A response's items (OpenAI's specification 2.3.0, InputItem) as a conversation in the form of
/// `Messages`.
final class ResponseInput {
    private static final Set<String> FOREIGN =
            Set.of(
                    "reasoning",
                    "item_reference",
                    "compaction",
                    "custom_tool_call",
                    "custom_tool_call_output",
                    "web_search_call",
                    "file_search_call",
                    "image_generation_call",
                    "code_interpreter_call",
                    "local_shell_call",
                    "local_shell_call_output",
                    "mcp_call",
                    "mcp_list_tools");

    private static final int MOST = 4096;

    private ResponseInput() {}

    /// @param earlier messages that `input` continues
    static List<Map<String, Object>> of(JsonFields fields, List<Map<String, Object>> earlier) {
        List<Map<String, Object>> messages = new ArrayList<>(earlier);
        JsonNode input = fields.required("input");
        if (input.isString()) {
            messages.add(Map.of("role", "user", "content", input.asString()));
            return messages;
        }
        if (!input.isArray()) {
            throw fields.wrong("input", "must be a string or a list of items");
        }
        if (input.isEmpty() || input.size() > MOST) {
            throw fields.wrong("input", "must hold 1 to %d items".formatted(MOST));
        }
        fields.list("input", item -> skipped(item) || messages.add(message(item)));
        if (messages.isEmpty()) {
            throw fields.wrong("input", "must hold a message, a call or its result");
        }
        List<Map<String, Object>> all = joined(messages);
        checkResults(fields, all);
        return all;
    }

    /// A conversation with what was answered to it.
    ///
    /// @param output items of a response
    static List<Map<String, Object>> continued(
            List<Map<String, Object>> conversation, List<ObjectNode> output) {
        List<Map<String, Object>> messages = new ArrayList<>(conversation);
        output.forEach(item -> messages.add(message(JsonFields.of(item, "output"))));
        return joined(messages);
    }

    /// Whether an item is one that only the client's own service can use. It is named.
    private static boolean skipped(JsonFields item) {
        String type = item.text("type").orElse("message");
        boolean foreign = item.lenient() && FOREIGN.contains(type);
        if (foreign) {
            item.passedOver("type", List.of("=" + type));
        }
        return foreign;
    }

    private static Map<String, Object> message(JsonFields item) {
        String type = item.text("type").orElse("message");
        Map<String, Object> message =
                switch (type) {
                    case "message" -> said(item);
                    case "function_call" -> call(item);
                    case "function_call_output" -> result(item);
                    default ->
                            throw item.wrong(
                                    "type",
                                    "must be message, function_call or function_call_output");
                };
        item.ignore("id", "status", "phase");
        item.unsupported("caller", "namespace");
        item.end();
        return message;
    }

    private static Map<String, Object> said(JsonFields item) {
        String role = item.text("role").orElseThrow(() -> item.wrong("role", "is required"));
        String content = text(item, "content");
        return switch (role) {
            case "user", "assistant", "system" -> Map.of("role", role, "content", content);
            case "developer" -> Map.of("role", "system", "content", content);
            default -> throw item.wrong("role", "must be user, assistant, system or developer");
        };
    }

    /// A text, or parts of it.
    private static String text(JsonFields item, String name) {
        JsonNode node = item.required(name);
        if (node.isString()) {
            return node.asString();
        }
        if (!node.isArray()) {
            throw item.wrong(name, "must be a string or a list of text parts");
        }
        return String.join("", item.list(name, ResponseInput::part));
    }

    private static String part(JsonFields part) {
        String type = part.text("type").orElse("");
        String name =
                switch (type) {
                    case "input_text", "output_text" -> "text";
                    case "refusal" -> "refusal";
                    default ->
                            throw part.wrong(
                                    "type",
                                    "must be \"input_text\" or \"output_text\": this server's models read text alone");
                };
        String text = part.text(name).orElseThrow(() -> part.wrong(name, "is required"));
        part.ignore("annotations", "logprobs", "prompt_cache_breakpoint");
        part.end();
        return text;
    }

    private static Map<String, Object> call(JsonFields item) {
        String id = required(item, "call_id");
        String text = required(item, "arguments");
        Optional<Object> arguments = Messages.parsed(text);
        if (arguments.isEmpty() && !item.text("status").orElse("").equals("incomplete")) {
            throw item.wrong("arguments", "must be a JSON text");
        }
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", required(item, "name"));
        // of a call that was cut off there is the text alone
        function.put("arguments", arguments.orElse(text));
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("id", id);
        call.put("type", "function");
        call.put("function", function);
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", "assistant");
        message.put("content", "");
        message.put("tool_calls", List.of(call));
        return message;
    }

    private static Map<String, Object> result(JsonFields item) {
        String id = required(item, "call_id");
        item.ignore("name");
        return Map.of("role", "tool", "content", text(item, "output"), "tool_call_id", id);
    }

    private static String required(JsonFields item, String name) {
        return item.text(name).orElseThrow(() -> item.wrong(name, "is required"));
    }

    /// Calls are items of their own here, and parts of the assistant's message before them in a
    /// chat.
    private static List<Map<String, Object>> joined(List<Map<String, Object>> messages) {
        List<Map<String, Object>> all = new ArrayList<>();
        for (Map<String, Object> message : messages) {
            boolean callsAlone =
                    message.containsKey("tool_calls") && "".equals(message.get("content"));
            if (callsAlone && !all.isEmpty() && "assistant".equals(all.getLast().get("role"))) {
                Map<String, Object> whole = new LinkedHashMap<>(all.removeLast());
                List<Object> calls = new ArrayList<>(calls(whole));
                calls.addAll(calls(message));
                whole.put("tool_calls", calls);
                all.add(whole);
            } else {
                all.add(message);
            }
        }
        return all;
    }

    private static List<?> calls(Map<String, Object> message) {
        return message.get("tool_calls") instanceof List<?> calls ? calls : List.of();
    }

    /// A result without its call would be read as one of another call.
    private static void checkResults(JsonFields fields, List<Map<String, Object>> messages) {
        Set<Object> called = new HashSet<>();
        for (Map<String, Object> message : messages) {
            for (Object call : calls(message)) {
                if (call instanceof Map<?, ?> map && map.get("id") instanceof String id) {
                    called.add(id);
                }
            }
            if (message.get("tool_call_id") instanceof String id && !called.contains(id)) {
                throw fields.wrong(
                        "input",
                        "has a function_call_output whose call_id no function_call before it has");
            }
        }
    }

    /// The messages behind the instructions; these and a system message that comes next become one,
    /// as many templates take one only.
    static List<Map<String, Object>> instructed(
            Optional<String> instructions, List<Map<String, Object>> messages) {
        if (instructions.isEmpty()) {
            return messages;
        }
        List<Map<String, Object>> all = new ArrayList<>(messages);
        String text = instructions.get();
        if (!all.isEmpty() && "system".equals(all.getFirst().get("role"))) {
            text += "\n\n" + all.removeFirst().get("content");
        }
        all.addFirst(Map.of("role", "system", "content", text));
        return all;
    }
}
