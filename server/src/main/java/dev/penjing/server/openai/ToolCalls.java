package dev.penjing.server.openai;

import dev.penjing.server.http.HttpJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Finds calls of tools in an answer as it comes, in the forms that models were trained on:
/// `<tool_call>{...}</tool_call>` (Hermes, Qwen), `[TOOL_CALLS][{...}]` (Mistral), and a JSON
/// object or list that is all of the answer (Llama). Text that may yet become a call is held back.
final class ToolCalls {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String OPEN = "<tool_call>";
    private static final String CLOSE = "</tool_call>";
    private static final List<String> MARKS = List.of(OPEN, "[TOOL_CALLS]", "<|python_tag|>");

    /// @param arguments as JSON
    record Call(String id, String name, String arguments) {
        ObjectNode json() {
            ObjectNode call = HttpJson.object().put("id", id).put("type", "function");
            call.putObject("function").put("name", name).put("arguments", arguments);
            return call;
        }
    }

    /// What an answer was: text, calls, or both.
    record Found(String text, List<Call> calls) {}

    private final Tools tools;
    private final StringBuilder held = new StringBuilder();
    private boolean begun;

    ToolCalls(Tools tools) {
        this.tools = tools;
    }

    /// What an answer is that has ended.
    static Found found(Tools tools, String answer) {
        ToolCalls finder = new ToolCalls(tools);
        return switch (tools.choice()) {
            case NONE -> new Found(answer, List.of());
            case AUTO -> {
                String text = finder.add(answer);
                Found rest = finder.finish();
                yield new Found(text + rest.text(), rest.calls());
            }
            case REQUIRED, NAMED ->
                    finder.forced(answer)
                            .map(call -> new Found("", List.of(call)))
                            .orElse(new Found(answer, List.of()));
        };
    }

    /// The text that is no part of a call for certain.
    String add(String piece) {
        held.append(piece);
        int from = 0;
        while (!begun && from < held.length() && Character.isWhitespace(held.charAt(from))) {
            from++;
        }
        if (!begun && from == held.length()) {
            return "";
        }
        if (!begun && (held.charAt(from) == '{' || held.charAt(from) == '[')) {
            return "";
        }
        int keep = held.length();
        for (String mark : MARKS) {
            int at = held.indexOf(mark);
            keep = at >= 0 ? Math.min(keep, at) : keep;
            for (int n = Math.min(mark.length() - 1, held.length()); n > 0; n--) {
                if (mark.startsWith(held.substring(held.length() - n))) {
                    keep = Math.min(keep, held.length() - n);
                    break;
                }
            }
        }
        String certain = held.substring(0, keep);
        held.delete(0, keep);
        begun |= !certain.isBlank();
        return certain;
    }

    /// What was held back, at the end.
    Found finish() {
        String rest = held.toString();
        held.setLength(0);
        List<Call> calls = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        int at = 0;
        for (int open = rest.indexOf(OPEN); open >= 0; open = rest.indexOf(OPEN, at)) {
            text.append(rest, at, open);
            int close = rest.indexOf(CLOSE, open);
            String body = rest.substring(open + OPEN.length(), close < 0 ? rest.length() : close);
            at = close < 0 ? rest.length() : close + CLOSE.length();
            List<Call> found = parse(body);
            if (found.isEmpty()) {
                text.append(rest, open, at);
            }
            calls.addAll(found);
        }
        String last = rest.substring(at);
        String bare = last.replace("[TOOL_CALLS]", "").replace("<|python_tag|>", "").strip();
        List<Call> found = calls.isEmpty() ? parse(bare) : List.of();
        calls.addAll(found);
        if (found.isEmpty() && !(last.isBlank() && !calls.isEmpty())) {
            text.append(last);
        }
        if (!tools.several() && calls.size() > 1) {
            calls.subList(1, calls.size()).clear();
        }
        return new Found(text.toString(), calls);
    }

    /// The calls of an answer that was held to their form.
    private Optional<Call> forced(String answer) {
        if (tools.named().isPresent()) {
            return Optional.of(new Call(Ids.call(), tools.named().get(), answer));
        }
        return parse(answer).stream().findFirst();
    }

    private List<Call> parse(String json) {
        List<Call> calls = new ArrayList<>();
        if (json.isBlank()) {
            return calls;
        }
        JsonNode node;
        try {
            node = JSON.readTree(json);
        } catch (JacksonException e) {
            return calls;
        }
        for (JsonNode call : node.isArray() ? node : HttpJson.array().add(node)) {
            String name = call.path("name").asString("");
            JsonNode arguments = call.path(call.has("arguments") ? "arguments" : "parameters");
            if (!tools.all().containsKey(name)) {
                return List.of();
            }
            calls.add(
                    new Call(
                            Ids.call(),
                            name,
                            arguments.isString()
                                    ? arguments.asString()
                                    : arguments.isMissingNode() ? "{}" : arguments.toString()));
        }
        return calls;
    }
}
