package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Schemas made of others: references, `allOf`, and what stands beside them, as one schema.
final class Schemas {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int MOST_DEPTH = 40;

    /// Values in all joined schemas together.
    private static final int MOST_JOINED = 500_000;

    private static final Set<String> LARGER =
            Set.of("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties");
    private static final Set<String> SMALLER =
            Set.of("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties");

    private final JsonNode root;
    private final Notes notes;
    private int joined;

    Schemas(JsonNode root, Notes notes) {
        this.root = root;
        this.notes = notes;
    }

    /// What a `$ref` points to.
    JsonNode target(JsonNode reference, String at) {
        String text = reference.isString() ? reference.stringValue() : "";
        if (!text.startsWith("#")) {
            throw Keywords.error(at, "$ref", "# or #..., a place in the same schema");
        }
        if (!text.equals("#") && !text.startsWith("#/")) {
            return anchored(text.substring(1), at);
        }
        JsonNode found;
        try {
            String pointer =
                    URLDecoder.decode(
                            text.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
            found = root.at(JsonPointer.compile(pointer));
        } catch (IllegalArgumentException e) {
            throw new UsageException(
                    "the JSON Schema at %s: $ref '%s' is no JSON pointer".formatted(at, text));
        }
        if (found.isMissingNode()) {
            throw new UsageException(
                    "the JSON Schema at %s: $ref '%s' points to nothing".formatted(at, text));
        }
        return found;
    }

    private JsonNode anchored(String name, String at) {
        for (JsonNode holder : root.findParents("$anchor")) {
            if (holder.path("$anchor").asString("").equals(name)) {
                return holder;
            }
        }
        throw new UsageException(
                "the JSON Schema at %s: $ref '#%s' points to nothing".formatted(at, name));
    }

    /// Whether a schema is a `$ref` and nothing else that restricts.
    static boolean onlyReference(ObjectNode schema) {
        return schema.has("$ref")
                && schema.propertyNames().stream()
                        .allMatch(k -> k.equals("$ref") || Keywords.ANNOTATIONS.contains(k));
    }

    static boolean restricts(ObjectNode schema) {
        return !Keywords.ANNOTATIONS.containsAll(schema.propertyNames());
    }

    /// A schema without `$ref` and `allOf` at its top that means the same.
    ObjectNode flat(JsonNode schema, String at) {
        return flat(schema, at, 0);
    }

    private ObjectNode flat(JsonNode node, String at, int depth) {
        if (depth > MOST_DEPTH) {
            throw new UsageException(
                    "the JSON Schema at %s: $ref and allOf lead through more than %d others, or in a circle"
                            .formatted(at, MOST_DEPTH));
        }
        if (node.isBoolean()) {
            ObjectNode made = JSON.createObjectNode();
            if (!node.booleanValue()) {
                made.putArray("enum");
            }
            return made;
        }
        if (!(node instanceof ObjectNode given)) {
            throw new UsageException(
                    "the JSON Schema at %s is neither an object nor true or false".formatted(at));
        }
        ObjectNode schema = Keywords.tidy(given, at, notes);
        if (!schema.has("$ref") && !schema.has("allOf")) {
            return schema;
        }
        ObjectNode result = without(schema, "$ref", "allOf");
        if (schema.has("$ref")) {
            JsonNode target = target(schema.path("$ref"), at);
            result = merge(result, flat(target, at, depth + 1), at);
        }
        int i = 0;
        for (JsonNode part : Keywords.list(schema, "allOf", at)) {
            String where = at + "/allOf/" + i++;
            result = merge(result, flat(part, where, depth + 1), where);
        }
        return result;
    }

    static ObjectNode without(ObjectNode schema, String... keywords) {
        ObjectNode result = JSON.createObjectNode();
        for (Map.Entry<String, JsonNode> entry : schema.properties()) {
            if (!List.of(keywords).contains(entry.getKey())) {
                result.set(entry.getKey(), entry.getValue());
            }
        }
        return result;
    }

    /// The schema of what fits both.
    ///
    /// @throws UsageException if they say something of the same kind that cannot be joined
    ObjectNode merge(ObjectNode a, ObjectNode b, String at) {
        count(a, at);
        count(b, at);
        boolean tuples = a.has("prefixItems") || b.has("prefixItems");
        boolean both =
                Keywords.ARRAY.stream().anyMatch(a::has)
                        && Keywords.ARRAY.stream().anyMatch(b::has);
        boolean apart = tuples && both && !a.equals(b);
        if (apart) {
            notes.ignore("prefixItems", at, twice("prefixItems", at));
        }
        ObjectNode result = a.deepCopy();
        for (Map.Entry<String, JsonNode> entry : b.properties()) {
            String keyword = entry.getKey();
            JsonNode theirs = entry.getValue();
            JsonNode mine = a.path(keyword);
            if (apart && Keywords.ARRAY.contains(keyword)) {
                continue;
            }
            if (mine.isMissingNode()) {
                result.set(keyword, theirs);
            } else if (!mine.equals(theirs) && !Keywords.ANNOTATIONS.contains(keyword)) {
                result.set(keyword, join(keyword, mine, theirs, at));
            }
        }
        if (a.has("properties") || b.has("properties")) {
            result.set("properties", properties(a, b));
        }
        return result;
    }

    /// Joined schemas may hold each other, twice as large each time.
    private void count(JsonNode schema, String at) {
        ArrayDeque<JsonNode> todo = new ArrayDeque<>(List.of(schema));
        while (!todo.isEmpty()) {
            if (++joined > MOST_JOINED) {
                throw new UsageException(
                        "the JSON Schema at %s: what is joined there by allOf, $ref or anyOf grows too large: join less"
                                .formatted(at));
            }
            todo.addAll(todo.remove().values());
        }
    }

    private static UsageException twice(String keyword, String at) {
        return new UsageException(
                "the JSON Schema at %s: '%s' is given twice, and the two cannot be joined: give it once"
                        .formatted(at, keyword));
    }

    private JsonNode join(String keyword, JsonNode mine, JsonNode theirs, String at) {
        if (LARGER.contains(keyword) || SMALLER.contains(keyword)) {
            if (!mine.isNumber() || !theirs.isNumber()) {
                throw Keywords.error(at, keyword, "a number");
            }
            boolean larger = mine.decimalValue().compareTo(theirs.decimalValue()) > 0;
            return larger == LARGER.contains(keyword) ? mine : theirs;
        }
        return switch (keyword) {
            case "items", "additionalProperties", "unevaluatedProperties", "propertyNames" ->
                    all(mine, theirs);
            case "properties" -> mine;
            case "required" -> {
                ArrayNode names = JSON.createArrayNode().addAll(mine.values());
                theirs.values().stream()
                        .filter(n -> !mine.values().contains(n))
                        .forEach(names::add);
                yield names;
            }
            case "enum" -> {
                ArrayNode values = JSON.createArrayNode();
                mine.values().stream().filter(theirs.values()::contains).forEach(values::add);
                yield values;
            }
            case "type" -> {
                ArrayNode types = JSON.createArrayNode();
                List<String> others = names(theirs);
                for (String type : names(mine)) {
                    boolean whole = type.equals("number") && others.contains("integer");
                    boolean number = type.equals("integer") && others.contains("number");
                    if (others.contains(type) || whole || number) {
                        types.add(whole && !others.contains(type) ? "integer" : type);
                    }
                }
                if (types.isEmpty()) {
                    throw twice(keyword, at);
                }
                yield types;
            }
            default -> {
                notes.ignore(keyword, at, twice(keyword, at));
                yield mine;
            }
        };
    }

    private static List<String> names(JsonNode types) {
        return types.isArray()
                ? types.values().stream().map(JsonNode::asString).toList()
                : List.of(types.asString());
    }

    private static ObjectNode all(JsonNode mine, JsonNode theirs) {
        ObjectNode all = JSON.createObjectNode();
        all.putArray("allOf").add(mine).add(theirs);
        return all;
    }

    /// What fits a schema and all of some others.
    static JsonNode both(JsonNode schema, List<JsonNode> others) {
        if (others.isEmpty()) {
            return schema;
        }
        ObjectNode all = JSON.createObjectNode();
        all.putArray("allOf").add(schema).addAll(others);
        return all;
    }

    /// A property that one of the two does not name must fit its `additionalProperties`.
    private static ObjectNode properties(ObjectNode a, ObjectNode b) {
        ObjectNode result = JSON.createObjectNode();
        add(result, a, b);
        add(result, b, a);
        return result;
    }

    private static void add(ObjectNode result, ObjectNode from, ObjectNode other) {
        for (Map.Entry<String, JsonNode> entry : from.path("properties").properties()) {
            JsonNode named = other.path("properties").path(entry.getKey());
            JsonNode theirs = named.isMissingNode() ? other.path("additionalProperties") : named;
            boolean alone = theirs.isMissingNode() || theirs.equals(entry.getValue());
            if (!result.has(entry.getKey())) {
                result.set(
                        entry.getKey(), alone ? entry.getValue() : all(entry.getValue(), theirs));
            }
        }
    }
}
