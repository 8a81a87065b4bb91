package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The keywords of JSON Schema that are understood, and how their values are read.
final class Keywords {
    /// They restrict nothing.
    static final Set<String> ANNOTATIONS =
            Set.of(
                    "title",
                    "description",
                    "default",
                    "example",
                    "examples",
                    "deprecated",
                    "readOnly",
                    "writeOnly",
                    "contentEncoding",
                    "contentMediaType",
                    "contentSchema",
                    "discriminator",
                    "externalDocs",
                    "xml",
                    "markdownDescription",
                    "enumDescriptions",
                    "markdownEnumDescriptions",
                    "enumNames",
                    "propertyOrdering",
                    "errorMessage",
                    "deprecationMessage",
                    "defaultSnippets",
                    "$schema",
                    "$id",
                    "id",
                    "$comment",
                    "$anchor",
                    "$vocabulary",
                    "$defs",
                    "definitions");

    static final List<String> OBJECT =
            List.of(
                    "properties",
                    "required",
                    "additionalProperties",
                    "unevaluatedProperties",
                    "patternProperties",
                    "propertyNames",
                    "minProperties",
                    "maxProperties");
    static final List<String> ARRAY = List.of("items", "prefixItems", "minItems", "maxItems");
    static final List<String> STRING = List.of("minLength", "maxLength", "pattern", "format");
    static final List<String> NUMBER =
            List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");
    private static final List<String> GENERAL =
            List.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable");

    private static final Map<String, List<String>> BY_TYPE =
            Map.of("object", OBJECT, "array", ARRAY, "string", STRING, "number", NUMBER);
    private static final List<String> TYPES =
            List.of("object", "array", "string", "number", "integer", "boolean", "null");

    private Keywords() {}

    /// The schema in the words of the latest draft, without those that are not understood.
    static ObjectNode tidy(ObjectNode schema, String at, Notes notes) {
        if (schema.propertyNames().stream().allMatch(k -> plain(schema, k))) {
            return schema;
        }
        ObjectNode tidy = schema.deepCopy();
        exclusive(tidy, "minimum", "exclusiveMinimum");
        exclusive(tidy, "maximum", "exclusiveMaximum");
        tuple(tidy);
        boolean single = tidy.path("maxItems").asInt(2) < 2;
        for (String keyword : List.copyOf(tidy.propertyNames())) {
            if (plain(tidy, keyword)) {
                continue;
            }
            JsonNode value = tidy.path(keyword);
            boolean unique = keyword.equals("uniqueItems");
            boolean nothing =
                    keyword.startsWith("x-")
                            || unique && (single || !value.asBoolean(true))
                            || keyword.equals("unevaluatedItems") && value.asBoolean(false);
            if (!nothing) {
                notes.ignore(keyword, at, refusal(keyword, value, at));
            }
            tidy.remove(keyword);
        }
        return tidy;
    }

    private static UsageException refusal(String keyword, JsonNode value, String at) {
        return switch (keyword) {
            case "$ref" -> error(at, keyword, "# or #..., a place in the same schema");
            case "type" -> error(at, keyword, "one of " + String.join(", ", TYPES));
            case "required" -> error(at, keyword, "a list of names, not " + value);
            default ->
                    new UsageException(
                            "the JSON Schema at %s has the keyword '%s', which is not supported: take it out, or say it another way"
                                    .formatted(at, keyword));
        };
    }

    /// Whether a keyword is understood as it stands.
    private static boolean plain(ObjectNode schema, String keyword) {
        JsonNode value = schema.path(keyword);
        return switch (keyword) {
            case "exclusiveMinimum", "exclusiveMaximum", "required" -> !value.isBoolean();
            case "items" -> !value.isArray();
            case "type" -> !value.asString("").equals("any");
            case "$ref" -> !value.isString() || value.stringValue().startsWith("#");
            default ->
                    ANNOTATIONS.contains(keyword)
                            || GENERAL.contains(keyword)
                            || BY_TYPE.values().stream().anyMatch(k -> k.contains(keyword));
        };
    }

    /// Draft 4: whether the bound itself is out.
    private static void exclusive(ObjectNode schema, String bound, String keyword) {
        JsonNode value = schema.path(keyword);
        if (value.isBoolean()) {
            schema.remove(keyword);
            if (value.booleanValue() && schema.has(bound)) {
                schema.set(keyword, schema.path(bound));
                schema.remove(bound);
            }
        }
    }

    /// Draft 7: a list of `items`, and `additionalItems` behind them.
    private static void tuple(ObjectNode schema) {
        JsonNode more = schema.path("additionalItems");
        schema.remove("additionalItems");
        if (schema.path("items").isArray()) {
            JsonNode items = schema.path("items");
            schema.remove("items");
            if (!schema.has("prefixItems")) {
                schema.set("prefixItems", items);
            }
            if (!more.isMissingNode()) {
                schema.set("items", more);
            }
        }
    }

    static UsageException error(String at, String keyword, String what) {
        return new UsageException(
                "the JSON Schema at %s: '%s' must be %s".formatted(at, keyword, what));
    }

    /// The types that a value may have. Where `type` is absent, it is taken from the keywords that
    /// speak of one; with none of those, empty.
    static List<String> types(ObjectNode schema, String at) {
        List<String> types = new ArrayList<>();
        JsonNode type = schema.path("type");
        if (type.isString()) {
            types.add(type.stringValue());
        } else if (type.isArray()) {
            for (JsonNode one : type) {
                types.add(one.isString() ? one.stringValue() : one.toString());
            }
        } else if (!type.isMissingNode()) {
            throw error(at, "type", "a type or a list of types");
        } else {
            BY_TYPE.forEach((name, keywords) -> {
                if (keywords.stream().anyMatch(schema::has)) {
                    types.add(name);
                }
            });
            types.sort(null);
        }
        for (String one : types) {
            if (!TYPES.contains(one)) {
                throw error(at, "type", "one of " + String.join(", ", TYPES));
            }
        }
        if (!types.isEmpty() && schema.path("nullable").asBoolean(false)) {
            types.add("null");
        }
        return types.stream().distinct().toList();
    }

    /// Whether a value is of one of the types; of an empty list, all are.
    static boolean fits(JsonNode value, List<String> types) {
        String type =
                switch (value.getNodeType()) {
                    case OBJECT, POJO -> "object";
                    case ARRAY -> "array";
                    case STRING, BINARY -> "string";
                    case NUMBER -> value.isIntegralNumber() ? "integer" : "number";
                    case BOOLEAN -> "boolean";
                    case NULL, MISSING -> "null";
                };
        return types.isEmpty()
                || types.contains(type)
                || type.equals("integer") && types.contains("number");
    }

    static int count(ObjectNode schema, String keyword, int otherwise, String at) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
            throw error(at, keyword, "a whole number, not negative and not above 2,147,483,646");
        }
        return Math.min(value.intValue(), Expr.UNBOUNDED - 1);
    }

    static Optional<String> text(ObjectNode schema, String keyword, String at) {
        JsonNode value = schema.path(keyword);
        if (!value.isMissingNode() && !value.isString()) {
            throw error(at, keyword, "a string");
        }
        return value.isString() ? Optional.of(value.stringValue()) : Optional.empty();
    }

    static Optional<BigDecimal> number(ObjectNode schema, String keyword, String at) {
        JsonNode value = schema.path(keyword);
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        boolean finite = value.isIntegralNumber() || Double.isFinite(value.asDouble(Double.NaN));
        if (!value.isNumber() || !finite) {
            throw error(at, keyword, "a number");
        }
        return Optional.of(value.decimalValue());
    }

    /// @param otherwise if the keyword is absent
    static List<JsonNode> list(ObjectNode schema, String keyword, String at) {
        JsonNode value = schema.path(keyword);
        if (!value.isMissingNode() && !value.isArray()) {
            throw error(at, keyword, "a list");
        }
        return List.copyOf(value.values());
    }

    static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
