package dev.penjing.server.openai;

import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.JsonFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A conversation as a chat template takes it: maps with `role` and `content`, and the calls of
/// tools.
final class Messages {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int MOST = 4096;

    private Messages() {}

    static List<Map<String, Object>> of(JsonFields fields) {
        fields.required("messages");
        List<Map<String, Object>> messages = fields.list("messages", Messages::message);
        if (messages.isEmpty() || messages.size() > MOST) {
            throw fields.wrong("messages", "must hold 1 to %d messages".formatted(MOST));
        }
        return messages;
    }

    private static Map<String, Object> message(JsonFields fields) {
        String role = fields.text("role").orElseThrow(() -> fields.wrong("role", "is required"));
        Map<String, Object> message = new LinkedHashMap<>();
        fields.text("name").ifPresent(name -> message.put("name", name));
        switch (role) {
            case "system", "developer" -> {
                message.put("role", "system");
                message.put("content", requiredContent(fields));
            }
            case "user" -> {
                message.put("role", "user");
                message.put("content", requiredContent(fields));
            }
            case "assistant" -> {
                message.put("role", "assistant");
                List<Map<String, Object>> calls = fields.list("tool_calls", Messages::call);
                Optional<String> text = content(fields).or(() -> fields.text("refusal"));
                if (text.isEmpty() && calls.isEmpty()) {
                    throw fields.wrong("content", "is required where there are no tool_calls");
                }
                message.put("content", text.orElse(""));
                if (!calls.isEmpty()) {
                    message.put("tool_calls", calls);
                }
                fields.ignore("refusal");
                fields.unsupported("audio", "function_call");
            }
            case "tool" -> {
                message.put("role", "tool");
                message.put("content", content(fields).orElse(""));
                message.put(
                        "tool_call_id",
                        fields.text("tool_call_id")
                                .orElseThrow(() ->
                                        fields.wrong(
                                                "tool_call_id", "is required in a tool message")));
            }
            default ->
                    throw fields.wrong(
                            "role", "must be system, developer, user, assistant or tool");
        }
        // what answers of this and other servers carry beside their text
        fields.ignore(
                "id",
                "annotations",
                "reasoning",
                "reasoning_content",
                "provider_specific_fields",
                "cache_control");
        fields.end();
        return message;
    }

    private static String requiredContent(JsonFields fields) {
        return content(fields).orElseThrow(() -> fields.wrong("content", "is required"));
    }

    /// A text, or parts of it.
    private static Optional<String> content(JsonFields fields) {
        Optional<JsonNode> node = fields.node("content");
        if (node.isEmpty() || node.get().isString()) {
            return node.map(JsonNode::asString);
        }
        if (!node.get().isArray()) {
            throw fields.wrong("content", "must be a string or a list of text parts");
        }
        List<String> parts =
                fields.list(
                        "content",
                        part -> {
                            String type = part.text("type").orElse("");
                            if (!type.equals("text") && !type.equals("refusal")) {
                                throw part.wrong(
                                        "type",
                                        "must be \"text\": this server's models read text alone");
                            }
                            String text =
                                    part.text(type)
                                            .orElseThrow(() -> part.wrong(type, "is required"));
                            part.ignore("cache_control", "annotations");
                            part.end();
                            return text;
                        });
        return Optional.of(String.join("", parts));
    }

    /// A call of a function, its arguments as what they say.
    private static Map<String, Object> call(JsonFields fields) {
        String id = fields.text("id").orElseThrow(() -> fields.wrong("id", "is required"));
        if (!fields.text("type").orElse("function").equals("function")) {
            throw fields.wrong("type", "must be \"function\"");
        }
        JsonFields function =
                fields.object("function")
                        .orElseThrow(() -> fields.wrong("function", "is required"));
        Map<String, Object> what = new LinkedHashMap<>();
        what.put(
                "name",
                function.text("name").orElseThrow(() -> function.wrong("name", "is required")));
        what.put("arguments", arguments(function));
        function.end();
        fields.ignore("index");
        fields.end();
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("id", id);
        call.put("type", "function");
        call.put("function", what);
        return call;
    }

    private static Object arguments(JsonFields function) {
        // what a model made that is no JSON is shown to it as it was
        String text = function.text("arguments").orElse("{}");
        return parsed(text).orElse(text);
    }

    /// As Java's maps, lists, texts and numbers.
    static Object plain(JsonNode node) {
        try {
            return JSON.treeToValue(node, Object.class);
        } catch (JacksonException e) {
            throw ApiException.invalid(400, "invalid_json", "The body cannot be read.");
        }
    }

    /// A conversation from the JSON that `json` made of it.
    static List<Map<String, Object>> parsed(byte[] json) {
        return JSON.readValue(json, new TypeReference<>() {});
    }

    /// A JSON text as what it says, or nothing if it is none.
    static Optional<Object> parsed(String text) {
        try {
            return Optional.of(JSON.readValue(text.isBlank() ? "{}" : text, Object.class));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    static String json(Object value) {
        return JSON.writeValueAsString(value);
    }

    /// For templates that know nothing of tools: calls and their results written out in the
    /// messages' text (the form of Hermes and Qwen), the tools described in the system prompt.
    static List<Map<String, Object>> withToolsInText(
            List<Map<String, Object>> messages, List<Object> tools) {
        List<Map<String, Object>> written = new ArrayList<>();
        for (Map<String, Object> message : messages) {
            written.add(written(message));
        }
        if (!tools.isEmpty()) {
            StringBuilder text = new StringBuilder();
            boolean first = "system".equals(written.getFirst().get("role"));
            if (first) {
                text.append(written.removeFirst().get("content")).append("\n\n");
            }
            text.append("You may call these functions:\n");
            tools.forEach(tool -> text.append(json(tool)).append('\n'));
            text.append(
                    "To call one, answer with <tool_call>{\"name\": NAME, \"arguments\": OBJECT}</tool_call> and nothing else.");
            written.addFirst(Map.of("role", "system", "content", text.toString()));
        }
        return written;
    }

    private static Map<String, Object> written(Map<String, Object> message) {
        String text = String.valueOf(message.get("content"));
        if ("tool".equals(message.get("role"))) {
            return Map.of(
                    "role", "user", "content", "<tool_response>\n" + text + "\n</tool_response>");
        }
        if (!(message.get("tool_calls") instanceof List<?> calls)) {
            return message;
        }
        StringBuilder all = new StringBuilder(text);
        for (Object call : calls) {
            Object function = call instanceof Map<?, ?> map ? map.get("function") : call;
            all.append(all.isEmpty() ? "" : "\n")
                    .append("<tool_call>\n")
                    .append(json(function == null ? call : function))
                    .append("\n</tool_call>");
        }
        return Map.of("role", "assistant", "content", all.toString());
    }
}
