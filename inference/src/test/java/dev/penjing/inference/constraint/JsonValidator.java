package dev.penjing.inference.constraint;

import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.StringNode;

/// Whether a value fits a schema, by the words of JSON Schema and nothing of the engine's.
public final class JsonValidator {
    private final JsonNode root;

    public JsonValidator(JsonNode root) {
        this.root = root;
    }

    public boolean fits(JsonNode value) {
        return fits(value, root);
    }

    private boolean fits(JsonNode v, JsonNode s) {
        if (s.isBoolean()) {
            return s.booleanValue();
        }
        if (v.isNull() && s.path("nullable").asBoolean(false)) {
            return true;
        }
        boolean ok = !s.has("$ref") || fits(v, target(s.path("$ref").stringValue()));
        for (JsonNode part : s.path("allOf").values()) {
            ok &= fits(v, part);
        }
        ok &= !s.has("anyOf") || s.path("anyOf").values().stream().anyMatch(b -> fits(v, b));
        ok &= !s.has("oneOf") || s.path("oneOf").values().stream().anyMatch(b -> fits(v, b));
        ok &= !s.has("const") || same(v, s.path("const"));
        ok &= !s.has("enum") || s.path("enum").values().stream().anyMatch(e -> same(v, e));
        JsonNode type = s.path("type");
        if (!type.isMissingNode()) {
            List<JsonNode> types = type.isArray() ? List.copyOf(type.values()) : List.of(type);
            ok &= types.stream().anyMatch(t -> is(v, t.stringValue()));
        }
        if (v.isObject()) {
            ok &= object(v, s);
        } else if (v.isArray()) {
            ok &= array(v, s);
        } else if (v.isString()) {
            ok &= string(v.stringValue(), s);
        } else if (v.isNumber()) {
            BigDecimal n = v.decimalValue();
            ok &= !s.has("minimum") || n.compareTo(s.path("minimum").decimalValue()) >= 0;
            ok &= !s.has("maximum") || n.compareTo(s.path("maximum").decimalValue()) <= 0;
            ok &= bound(s, "minimum", "exclusiveMinimum", n, 1);
            ok &= bound(s, "maximum", "exclusiveMaximum", n, -1);
            ok &=
                    !s.has("multipleOf")
                            || n.remainder(s.path("multipleOf").decimalValue()).signum() == 0;
        }
        return ok;
    }

    private static boolean bound(
            JsonNode s, String keyword, String exclusive, BigDecimal n, int inwards) {
        JsonNode bound = s.path(exclusive);
        if (bound.isBoolean()) {
            bound = bound.booleanValue() ? s.path(keyword) : bound.path(0);
        }
        return !bound.isNumber() || Integer.signum(n.compareTo(bound.decimalValue())) == inwards;
    }

    private JsonNode target(String reference) {
        if (reference.matches("#[^/].*")) {
            return root.findParents("$anchor").stream()
                    .filter(n -> n.path("$anchor").asString("").equals(reference.substring(1)))
                    .findFirst()
                    .orElseThrow();
        }
        return root.at(
                JsonPointer.compile(
                        URLDecoder.decode(reference.substring(1), StandardCharsets.UTF_8)));
    }

    private static boolean same(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber()
                ? a.decimalValue().compareTo(b.decimalValue()) == 0
                : a.equals(b);
    }

    private static boolean is(JsonNode v, String type) {
        return switch (type) {
            case "object" -> v.isObject();
            case "array" -> v.isArray();
            case "string" -> v.isString();
            case "number" -> v.isNumber();
            case "integer" -> v.isNumber() && v.decimalValue().stripTrailingZeros().scale() <= 0;
            case "boolean" -> v.isBoolean();
            default -> v.isNull();
        };
    }

    private boolean object(JsonNode v, JsonNode s) {
        boolean ok = s.path("required").values().stream().allMatch(n -> v.has(n.stringValue()));
        ok &= v.size() >= s.path("minProperties").asInt(0);
        ok &= v.size() <= s.path("maxProperties").asInt(Integer.MAX_VALUE);
        for (Map.Entry<String, JsonNode> e : v.properties()) {
            JsonNode named = s.path("properties").path(e.getKey());
            boolean known = !named.isMissingNode();
            ok &= !known || fits(e.getValue(), named);
            for (Map.Entry<String, JsonNode> p : s.path("patternProperties").properties()) {
                if (Pattern.compile(p.getKey()).matcher(e.getKey()).find()) {
                    known = true;
                    ok &= fits(e.getValue(), p.getValue());
                }
            }
            JsonNode others =
                    s.path(
                            s.has("additionalProperties")
                                    ? "additionalProperties"
                                    : "unevaluatedProperties");
            ok &= known || others.isMissingNode() || fits(e.getValue(), others);
            JsonNode names = s.path("propertyNames");
            ok &= names.isMissingNode() || fits(StringNode.valueOf(e.getKey()), names);
        }
        return ok;
    }

    private boolean array(JsonNode v, JsonNode s) {
        boolean ok = v.size() >= s.path("minItems").asInt(0);
        ok &= v.size() <= s.path("maxItems").asInt(Integer.MAX_VALUE);
        for (int i = 0; i < v.size(); i++) {
            boolean draft7 = s.path("items").isArray();
            JsonNode prefix = s.path(draft7 ? "items" : "prefixItems").path(i);
            JsonNode rest = s.path(draft7 ? "additionalItems" : "items");
            JsonNode schema = prefix.isMissingNode() ? rest : prefix;
            ok &= schema.isMissingNode() || fits(v.get(i), schema);
        }
        return ok;
    }

    private static boolean string(String text, JsonNode s) {
        int length = text.codePointCount(0, text.length());
        boolean ok = length >= s.path("minLength").asInt(0);
        ok &= length <= s.path("maxLength").asInt(Integer.MAX_VALUE);
        ok &=
                !s.has("pattern")
                        || Pattern.compile(s.path("pattern").stringValue()).matcher(text).find();
        try {
            switch (s.path("format").asString("")) {
                case "date" -> LocalDate.parse(text);
                case "time" -> OffsetTime.parse(text);
                case "date-time" -> OffsetDateTime.parse(text);
                case "uuid" -> ok &= UUID.fromString(text).toString().equalsIgnoreCase(text);
                case "email" -> ok &= text.matches("[^@\\s]+@[^@\\s]+\\.[^@\\s]+");
                case "hostname" -> ok &= text.matches("(?!-)[A-Za-z0-9.-]+(?<!-)");
                case "ipv4" -> {
                    for (String part : text.split("\\.")) {
                        ok &= Integer.parseInt(part) <= 255;
                    }
                    ok &= text.split("\\.").length == 4;
                }
                default -> {}
            }
        } catch (java.time.DateTimeException | IllegalArgumentException e) {
            return false;
        }
        return ok;
    }
}
