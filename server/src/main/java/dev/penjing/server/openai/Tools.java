package dev.penjing.server.openai;

import dev.penjing.inference.constraint.Constraint;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.http.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The functions that a model may call, and whether it must.
///
/// @param all name to definition, as the template takes it
/// @param schemas name to the schema of its arguments
/// @param named the one that has to be called
/// @param several whether one answer may hold several calls
record Tools(
        Map<String, Object> all,
        Map<String, JsonNode> schemas,
        Choice choice,
        Optional<String> named,
        boolean several) {
    enum Choice {
        NONE,
        AUTO,
        REQUIRED,
        NAMED
    }

    static final Tools NONE = new Tools(Map.of(), Map.of(), Choice.NONE, Optional.empty(), true);

    private static final int MOST = 128;

    /// As chats have them: each function within its tool.
    static Tools of(JsonFields fields) {
        return of(
                fields,
                tool ->
                        tool.object("function")
                                .orElseThrow(() -> tool.wrong("function", "is required")));
    }

    /// As responses have them: a tool and its function are one.
    static Tools flat(JsonFields fields) {
        return of(
                fields,
                tool -> {
                    tool.ignore("output_schema");
                    tool.unsupported("defer_loading", "allowed_callers");
                    return tool;
                });
    }

    private static Tools of(JsonFields fields, UnaryOperator<JsonFields> functionOf) {
        Map<String, Object> all = new LinkedHashMap<>();
        Map<String, JsonNode> schemas = new LinkedHashMap<>();
        fields.list(
                "tools",
                tool -> {
                    String type = tool.text("type").orElse("");
                    if (!type.equals("function")) {
                        if (type.isEmpty() || !fields.lenient()) {
                            throw tool.wrong("type", "must be \"function\"");
                        }
                        // what the client's own service has, such as web_search
                        tool.passedOver("type", List.of("=" + type));
                        return type;
                    }
                    JsonFields function = functionOf.apply(tool);
                    String name = name(function);
                    schemas.put(name, closed(parameters(function)));
                    function.ignore("description");
                    function.flag("strict");
                    function.end();
                    JsonNode whole =
                            HttpJson.object()
                                    .put("type", "function")
                                    .set("function", definition(function, name));
                    if (all.put(name, Messages.plain(whole)) != null) {
                        throw function.wrong("name", "is there twice");
                    }
                    tool.end();
                    return name;
                });
        if (all.size() > MOST) {
            throw fields.wrong("tools", "must hold at most %d functions".formatted(MOST));
        }
        return of(fields, all, schemas);
    }

    private static ObjectNode definition(JsonFields function, String name) {
        ObjectNode node = HttpJson.object().put("name", name);
        function.text("description").ifPresent(text -> node.put("description", text));
        node.set("parameters", parameters(function));
        return node;
    }

    private static Tools of(
            JsonFields fields, Map<String, Object> all, Map<String, JsonNode> schemas) {
        boolean several =
                fields.node("parallel_tool_calls").isEmpty() || fields.flag("parallel_tool_calls");
        Optional<JsonNode> choice = fields.node("tool_choice");
        Choice what = all.isEmpty() ? Choice.NONE : Choice.AUTO;
        Optional<String> named = Optional.empty();
        if (choice.isPresent() && choice.get().isString()) {
            what =
                    switch (choice.get().asString()) {
                        case "none" -> Choice.NONE;
                        case "auto" -> what;
                        case "required" -> Choice.REQUIRED;
                        default ->
                                throw fields.wrong(
                                        "tool_choice",
                                        "must be none, auto, required or a function's name");
                    };
        } else if (choice.isPresent()) {
            JsonFields object = JsonFields.of(choice.get(), "tool_choice");
            if (!object.text("type").orElse("").equals("function")) {
                throw object.wrong("type", "must be \"function\"");
            }
            Optional<JsonFields> function = object.object("function");
            named = Optional.of(name(function.orElse(object)));
            what = Choice.NAMED;
        }
        if (what == Choice.REQUIRED && all.isEmpty()
                || named.isPresent() && !all.containsKey(named.get())) {
            throw fields.wrong("tool_choice", "asks for a function that is not among the tools");
        }
        return new Tools(all, schemas, what, named, several);
    }

    private static String name(JsonFields function) {
        String name =
                function.text("name").orElseThrow(() -> function.wrong("name", "is required"));
        if (!name.matches("[a-zA-Z0-9_.-]{1,64}")) {
            throw function.wrong("name", "must be 1 to 64 letters, digits, _, . or -");
        }
        return name;
    }

    private static JsonNode parameters(JsonFields function) {
        return function.node("parameters").orElseGet(() -> HttpJson.object().put("type", "object"));
    }

    /// As the template is told of them: not at all if none may be called.
    List<Object> shown() {
        return choice == Choice.NONE ? List.of() : List.copyOf(all.values());
    }

    /// The form that an answer must have so that it is a call: of the named function its arguments
    /// alone, else an object with name and arguments. Empty if it may be a text.
    Optional<Constraint> form(JsonFields fields) {
        if (named.isPresent()) {
            JsonNode schema = schemas.getOrDefault(named.get(), HttpJson.object());
            return Optional.of(RequestParameters.schema(fields, "tools", schema, false));
        }
        if (choice != Choice.REQUIRED) {
            return Optional.empty();
        }
        ObjectNode schema = HttpJson.object();
        ArrayNode any = schema.putArray("anyOf");
        schemas.forEach((name, parameters) -> {
            ObjectNode call = any.addObject().put("type", "object");
            call.put("additionalProperties", false);
            call.putArray("required").add("name").add("arguments");
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", name);
            properties.set("arguments", parameters);
        });
        return Optional.of(RequestParameters.schema(fields, "tools", schema, false));
    }

    /// A function that declares no arguments has none.
    private static JsonNode closed(JsonNode parameters) {
        boolean declares =
                List.of(
                                "additionalProperties",
                                "patternProperties",
                                "required",
                                "$ref",
                                "allOf",
                                "anyOf",
                                "oneOf",
                                "enum",
                                "const")
                        .stream()
                        .anyMatch(parameters::has);
        return parameters instanceof ObjectNode object
                        && !declares
                        && object.path("properties").isEmpty()
                ? object.deepCopy().put("type", "object").put("additionalProperties", false)
                : parameters;
    }
}
