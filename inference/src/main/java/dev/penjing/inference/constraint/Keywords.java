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
                    "discriminator",
                    "$schema",
                    "$id",
                    "$comment",
                    "$anchor",
                    "$defs",
                    "definitions");

    static final List<String> OBJECT = List.of("properties", "required", "additionalProperties");
    static final List<String> ARRAY = List.of("items", "prefixItems", "minItems", "maxItems");
    static final List<String> STRING = List.of("minLength", "maxLength", "pattern", "format");
    static final List<String> NUMBER =
            List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
    private static final List<String> GENERAL =
            List.of("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "nullable");

    private static final Map<String, List<String>> BY_TYPE =
            Map.of("object", OBJECT, "array", ARRAY, "string", STRING, "number", NUMBER);
    private static final List<String> TYPES =
            List.of("object", "array", "string", "number", "integer", "boolean", "null");

    private Keywords() {}

    /// @throws UsageException if a keyword is not understood
    static void check(ObjectNode schema, String at) {
        for (String keyword : schema.propertyNames()) {
            boolean known =
                    ANNOTATIONS.contains(keyword)
                            || GENERAL.contains(keyword)
                            || BY_TYPE.values().stream().anyMatch(k -> k.contains(keyword))
                            || keyword.startsWith("x-")
                            || keyword.equals("uniqueItems")
                                    && !schema.path(keyword).asBoolean(true);
            if (!known) {
                throw new UsageException(
                        "the JSON Schema at %s has the keyword '%s', which is not supported: take it out, or say it another way"
                                .formatted(at, keyword));
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
