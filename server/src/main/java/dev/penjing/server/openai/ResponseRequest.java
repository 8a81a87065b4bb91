package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.constraint.Constraint;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.http.JsonFields;
import dev.penjing.server.models.ServedModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/// A request for a response that was understood (OpenAI's specification 2.3.0, CreateResponse).
/// Beside OpenAI's fields it may have those of a chat that say how to sample, such as `seed`,
/// `stop` and `top_k`, and NIM's under `nvext`.
///
/// @param top alternatives to report with each token, if any are to be
/// @param conversation that is to be answered, the instructions left out
/// @param truncate whether old turns may be left out where all do not fit
/// @param store whether the response is kept
/// @param echo fields that the response repeats
record ResponseRequest(
        ServedModel model,
        Engine engine,
        RequestParameters parameters,
        Tools tools,
        OptionalInt top,
        Optional<String> instructions,
        List<Map<String, Object>> conversation,
        int maxTokens,
        boolean truncate,
        boolean store,
        ObjectNode echo) {
    private static final int MOST_TOP = 20;
    private static final String LOGPROBS = "message.output_text.logprobs";

    /// What else `include` may name: of items that are never made here.
    private static final List<String> INCLUDE =
            List.of(
                    "reasoning.encrypted_content",
                    "file_search_call.results",
                    "web_search_call.results",
                    "web_search_call.action.sources",
                    "message.input_image.image_url",
                    "computer_call_output.output.image_url",
                    "code_interpreter_call.outputs");

    /// What people take over from chats, and its name here.
    private static final Map<String, String> MOVED =
            Map.of(
                    "messages", "input",
                    "response_format", "text.format",
                    "max_tokens", "max_output_tokens",
                    "max_completion_tokens", "max_output_tokens",
                    "logprobs", "include: [\"" + LOGPROBS + "\"]");

    static ResponseRequest of(JsonFields fields, Service service, ResponseStore store) {
        MOVED.forEach((name, here) -> {
            if (fields.node(name).isPresent()) {
                throw fields.wrong(name, "is a field of chats: use %s".formatted(here));
            }
        });
        ServedModel model = service.model(fields);
        ObjectNode echo = HttpJson.object().put("model", model.id());
        Optional<String> instructions = fields.text("instructions");
        echo.put("instructions", instructions.orElse(null));
        List<Map<String, Object>> conversation =
                ResponseInput.of(fields, earlier(fields, store, echo));
        Engine engine = model.engine();
        Tools tools = Tools.flat(fields);
        echo.put("parallel_tool_calls", tools.several());
        echo.set("tools", shown(fields.node("tools")));
        echo.set("tool_choice", fields.node("tool_choice").orElse(StringNode.valueOf("auto")));
        echo.put("temperature", fields.number("temperature", 0, 2).orElse(1));
        echo.put("top_p", fields.number("top_p", 0, 1).orElse(1));
        RequestParameters parameters = parameters(fields, engine, tools, echo);
        OptionalInt top = top(fields, echo);
        OptionalInt length = fields.integer("max_output_tokens", 1, Integer.MAX_VALUE);
        echo.put("max_output_tokens", length.isPresent() ? length.getAsInt() : null);
        boolean truncate = truncate(fields);
        echo.put("truncation", truncate ? "auto" : "disabled");
        echo.set("metadata", metadata(fields));
        for (String name : List.of("user", "safety_identifier", "prompt_cache_key")) {
            fields.text(name).ifPresent(text -> echo.put(name, text));
        }
        boolean stored = fields.node("store").isEmpty() || fields.flag("store");
        fields.ignore(
                "service_tier",
                "reasoning",
                "prompt_cache_retention",
                "prompt_cache_options",
                "max_tool_calls");
        fields.unsupported(
                "background", "conversation", "prompt", "context_management", "moderation");
        fields.end();
        return new ResponseRequest(
                model,
                engine,
                parameters,
                tools,
                top,
                instructions,
                conversation,
                length.orElse(service.defaultMaxTokens()),
                truncate,
                stored,
                echo);
    }

    private static List<Map<String, Object>> earlier(
            JsonFields fields, ResponseStore store, ObjectNode echo) {
        Optional<String> previous = fields.text("previous_response_id");
        echo.put("previous_response_id", previous.orElse(null));
        return previous.map(id ->
                        store.get(id)
                                .map(stored -> Messages.parsed(stored.conversation()))
                                .orElseThrow(() ->
                                        ApiException.invalid(
                                                400,
                                                "previous_response_not_found",
                                                "The response of previous_response_id is not, or no longer, kept: send the whole conversation as input.")))
                .orElse(List.of());
    }

    private static RequestParameters parameters(
            JsonFields fields, Engine engine, Tools tools, ObjectNode echo) {
        RequestParameters parameters =
                RequestParameters.of(fields, engine.config().vocabularySize());
        if (parameters.count() != 1) {
            throw fields.wrong("n", "must be 1: a response is one answer");
        }
        Optional<Constraint> form = form(fields, echo);
        Optional<Constraint> call = tools.form(fields);
        if (form.isPresent() && parameters.constraint().isPresent()) {
            throw fields.wrong("text.format", "cannot be given together with a guided form");
        }
        if (call.isPresent() && (form.isPresent() || parameters.constraint().isPresent())) {
            throw fields.wrong("tool_choice", "cannot be required together with a form of text");
        }
        return form.or(() -> call).map(parameters::constrained).orElse(parameters);
    }

    /// The form that a text must have, from `text.format`.
    private static Optional<Constraint> form(JsonFields fields, ObjectNode echo) {
        ObjectNode shown = echo.putObject("text").putObject("format").put("type", "text");
        Optional<JsonFields> text = fields.object("text");
        Optional<JsonFields> format = text.flatMap(t -> t.object("format"));
        text.ifPresent(t -> {
            t.ignore("verbosity");
            t.end();
        });
        if (format.isEmpty()) {
            return Optional.empty();
        }
        JsonFields asked = format.get();
        String type = asked.text("type").orElseThrow(() -> asked.wrong("type", "is required"));
        shown.put("type", type);
        switch (type) {
            case "text" -> {
                asked.end();
                return Optional.empty();
            }
            case "json_object" -> {
                asked.end();
                return Optional.of(Constraint.json());
            }
            case "json_schema" -> {
                JsonNode schema = asked.required("schema");
                Constraint form = RequestParameters.named(asked);
                asked.text("name").ifPresent(name -> shown.put("name", name));
                asked.text("description").ifPresent(about -> shown.put("description", about));
                shown.set("schema", schema);
                shown.put("strict", asked.flag("strict"));
                return Optional.of(form);
            }
            default ->
                    throw asked.wrong(
                            "type", "must be \"text\", \"json_object\" or \"json_schema\"");
        }
    }

    /// The tools as a response shows them. Only arguments that have to be made are held to their
    /// schema: strict is what the client says.
    private static ArrayNode shown(Optional<JsonNode> tools) {
        ArrayNode all = HttpJson.array();
        for (JsonNode tool : tools.orElse(HttpJson.array())) {
            if (!tool.path("type").asString("").equals("function")) {
                continue;
            }
            ObjectNode node = all.addObject().put("type", "function");
            node.set("name", tool.path("name"));
            for (String name : List.of("description", "parameters")) {
                node.set(name, tool.path(name).isMissingNode() ? null : tool.path(name));
            }
            node.put("strict", tool.path("strict").asBoolean(false));
        }
        return all;
    }

    private static OptionalInt top(JsonFields fields, ObjectNode echo) {
        List<String> include = fields.texts("include", 100);
        for (String name : include) {
            if (!name.equals(LOGPROBS) && !INCLUDE.contains(name)) {
                throw fields.wrong("include", "names what this server does not know");
            }
        }
        OptionalInt top = fields.integer("top_logprobs", 0, MOST_TOP);
        boolean probabilities = include.contains(LOGPROBS);
        if (top.orElse(0) > 0 && !probabilities) {
            throw fields.wrong(
                    "top_logprobs", "goes with \"include\": [\"%s\"] only".formatted(LOGPROBS));
        }
        echo.put("top_logprobs", top.orElse(0));
        return probabilities ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    }

    private static boolean truncate(JsonFields fields) {
        return switch (fields.text("truncation").orElse("disabled")) {
            case "auto" -> true;
            case "disabled" -> false;
            default -> throw fields.wrong("truncation", "must be \"auto\" or \"disabled\"");
        };
    }

    private static ObjectNode metadata(JsonFields fields) {
        ObjectNode metadata = HttpJson.object();
        Optional<JsonFields> map = fields.object("metadata");
        if (map.isPresent()) {
            boolean small = map.get().names().size() <= 16;
            for (String name : map.get().names()) {
                String value = map.get().text(name).orElse("");
                small &= name.length() <= 64 && value.length() <= 512;
                metadata.put(name, value);
            }
            if (!small) {
                throw fields.wrong(
                        "metadata",
                        "must hold at most 16 strings of 512 characters, named by 64 at most");
            }
        }
        return metadata;
    }

    /// The conversation as tokens.
    ///
    /// @throws ApiException if they leave no room for an answer
    int[] prompt() {
        List<Map<String, Object>> messages = ResponseInput.instructed(instructions, conversation);
        int context = engine.contextLength();
        // with old turns left out there is room for an answer, not just for its first token
        int room = context - Math.clamp(maxTokens, 1, Math.max(1, context / 4));
        int[] prompt = truncate ? Truncation.fit(messages, room, this::tokens) : tokens(messages);
        if (prompt.length >= context) {
            throw ApiException.tooLong(
                    "input",
                    "The model's context is %d tokens; the input alone takes %d: send less text%s."
                            .formatted(
                                    context,
                                    prompt.length,
                                    truncate ? "" : ", or \"truncation\": \"auto\""));
        }
        return prompt;
    }

    private int[] tokens(List<Map<String, Object>> messages) {
        return ChatEndpoint.prompt(engine, messages, tools, Map.of(), "input");
    }
}
