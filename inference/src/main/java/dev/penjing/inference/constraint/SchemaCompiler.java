package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import dev.penjing.model.UsageException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Makes a grammar of a JSON Schema: a rule for each schema in it, so that a recursive one ends.
final class SchemaCompiler {
    private static final int MOST_RULES = 10_000;
    private static final int MOST_PROPERTIES = 1_000;

    private record Pending(int rule, JsonNode schema, String at) {}

    private final Grammar.Builder grammar = new Grammar.Builder("the JSON Schema");
    private final Schemas schemas;
    private final Map<JsonNode, Integer> rules = new HashMap<>();
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();

    private SchemaCompiler(JsonNode root) {
        this.schemas = new Schemas(root);
    }

    /// @throws UsageException if the schema says something that is not supported, or nothing fits
    ///   it
    static Grammar compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        compiler.rule(schema, "#");
        while (!compiler.pending.isEmpty()) {
            Pending next = compiler.pending.remove();
            compiler.grammar.define(next.rule, compiler.body(next.schema, next.at));
        }
        Grammar grammar = compiler.grammar.build();
        if (!grammar.fits()) {
            throw new UsageException(
                    "no finite JSON value fits the JSON Schema: look for what is required of itself, or required and forbidden");
        }
        return grammar;
    }

    private int rule(JsonNode schema, String at) {
        Integer known = rules.get(schema);
        if (known != null) {
            return known;
        }
        if (rules.size() >= MOST_RULES) {
            throw new UsageException(
                    "the JSON Schema is made of more than %,d others: make it smaller"
                            .formatted(MOST_RULES));
        }
        int rule = grammar.rule(at);
        rules.put(schema, rule);
        pending.add(new Pending(rule, schema, at));
        return rule;
    }

    private Expr call(JsonNode schema, String at) {
        return new Expr.Call(rule(schema, at));
    }

    /// The rule of any JSON value.
    private Expr any() {
        return call(BooleanNode.TRUE, "#");
    }

    private int body(JsonNode schema, String at) {
        if (schema.isBoolean() && schema.booleanValue()) {
            int rule = rule(schema, at);
            return grammar.emit(JsonParts.value(rule), Grammar.RETURN);
        }
        if (schema instanceof ObjectNode object && Schemas.onlyReference(object)) {
            JsonNode target = schemas.target(object.path("$ref"), at);
            String where = object.path("$ref").stringValue();
            return grammar.emit(call(target, where), Grammar.RETURN);
        }
        ObjectNode flat = schemas.flat(schema, at);
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (flat.has(keyword)) {
                return branches(flat, keyword, at);
            }
        }
        if (flat.has("const") || flat.has("enum")) {
            return constants(flat, at);
        }
        List<String> types = Keywords.types(flat, at);
        if (types.isEmpty()) {
            return grammar.emit(any(), Grammar.RETURN);
        }
        int[] entries = types.stream().mapToInt(type -> typed(flat, type, at)).toArray();
        return grammar.split(entries);
    }

    /// `oneOf` is taken as `anyOf`: that a value fits one branch only is not seen to.
    private int branches(ObjectNode schema, String keyword, String at) {
        ObjectNode base = Schemas.without(schema, keyword);
        List<Expr> options = new ArrayList<>();
        List<JsonNode> branches = Keywords.list(schema, keyword, at);
        for (int i = 0; i < branches.size(); i++) {
            String where = at + "/" + keyword + "/" + i;
            JsonNode branch = branches.get(i);
            if (Schemas.restricts(base)) {
                branch = schemas.merge(base, schemas.flat(branch, where), where);
            }
            options.add(call(branch, where));
        }
        return grammar.emit(new Expr.Or(options), Grammar.RETURN);
    }

    private int constants(ObjectNode schema, String at) {
        for (List<String> keywords :
                List.of(Keywords.OBJECT, Keywords.ARRAY, Keywords.STRING, Keywords.NUMBER)) {
            for (String keyword : keywords) {
                if (schema.has(keyword)) {
                    throw new UsageException(
                            "the JSON Schema at %s: '%s' beside enum or const is not supported: leave out the values that it forbids"
                                    .formatted(at, keyword));
                }
            }
        }
        List<JsonNode> values =
                new ArrayList<>(
                        schema.has("enum")
                                ? Keywords.list(schema, "enum", at)
                                : List.of(schema.path("const")));
        if (schema.has("const")) {
            values.removeIf(value -> !value.equals(schema.path("const")));
        }
        List<String> types = Keywords.types(schema, at);
        values.removeIf(value -> !Keywords.fits(value, types));
        List<String> texts = new ArrayList<>();
        List<Integer> entries = new ArrayList<>();
        for (JsonNode value : values) {
            if (value.isContainer()) {
                entries.add(grammar.emit(constant(value), Grammar.RETURN));
            } else {
                texts.add(value.toString());
            }
        }
        entries.add(grammar.emitTexts(texts));
        return grammar.split(entries.stream().mapToInt(Integer::intValue).toArray());
    }

    private static Expr constant(JsonNode value) {
        if (!value.isContainer()) {
            return text(value.toString());
        }
        boolean object = value.isObject();
        List<Expr> parts = new ArrayList<>();
        if (object) {
            value.properties()
                    .forEach(e ->
                            parts.add(
                                    JsonParts.member(
                                            text(quoted(e.getKey())), constant(e.getValue()))));
        } else {
            value.values().forEach(v -> parts.add(constant(v)));
        }
        List<Expr> all = new ArrayList<>(List.of(text(object ? "{" : "["), JsonParts.GAP));
        for (int i = 0; i < parts.size(); i++) {
            all.add(i == 0 ? Expr.EMPTY : JsonParts.COMMA);
            all.add(parts.get(i));
        }
        all.add(parts.isEmpty() ? Expr.EMPTY : JsonParts.GAP);
        all.add(text(object ? "}" : "]"));
        return new Expr.Then(all);
    }

    private static String quoted(String name) {
        return JsonNodeFactory.instance.stringNode(name).toString();
    }

    private int typed(ObjectNode schema, String type, String at) {
        return switch (type) {
            case "object" -> object(schema, at);
            case "array" -> array(schema, at);
            case "string" -> grammar.emit(string(schema, at), Grammar.RETURN);
            case "number", "integer" ->
                    grammar.emit(number(schema, type.equals("integer"), at), Grammar.RETURN);
            case "boolean" -> grammar.emit(Expr.or(text("true"), text("false")), Grammar.RETURN);
            default -> grammar.emit(text("null"), Grammar.RETURN);
        };
    }

    private int object(ObjectNode schema, String at) {
        JsonNode properties = schema.path("properties");
        if (!properties.isMissingNode() && !properties.isObject()) {
            throw Keywords.error(at, "properties", "an object");
        }
        if (properties.size() > MOST_PROPERTIES) {
            throw new UsageException(
                    "the JSON Schema at %s has more than %,d properties: make it smaller"
                            .formatted(at, MOST_PROPERTIES));
        }
        Set<String> required = new LinkedHashSet<>();
        for (JsonNode name : Keywords.list(schema, "required", at)) {
            if (!name.isString()) {
                throw Keywords.error(at, "required", "a list of names");
            }
            required.add(name.stringValue());
        }
        JsonNode additional = schema.path("additionalProperties");
        boolean closed = additional.isBoolean() && !additional.booleanValue();
        String where = at + "/additionalProperties";
        int others = rule(additional.isMissingNode() ? BooleanNode.TRUE : additional, where);
        List<ObjectRule.Member> members = new ArrayList<>();
        for (Map.Entry<String, JsonNode> e : properties.properties()) {
            String name = e.getKey();
            int rule = rule(e.getValue(), at + "/properties/" + Keywords.escape(name));
            members.add(new ObjectRule.Member(name, quoted(name), rule, required.remove(name)));
        }
        for (String name : required) {
            members.add(new ObjectRule.Member(name, quoted(name), others, true));
        }
        return new ObjectRule(grammar)
                .emit(members, closed ? OptionalInt.empty() : OptionalInt.of(others));
    }

    private int array(ObjectNode schema, String at) {
        int min = Keywords.count(schema, "minItems", 0, at);
        int max = Keywords.count(schema, "maxItems", Expr.UNBOUNDED, at);
        JsonNode items = schema.path("items");
        Expr item = items.isMissingNode() ? any() : call(items, at + "/items");
        boolean closed = items.isBoolean() && !items.booleanValue();
        List<Expr> first = new ArrayList<>();
        for (JsonNode part : Keywords.list(schema, "prefixItems", at)) {
            first.add(call(part, at + "/prefixItems/" + first.size()));
        }
        if (first.isEmpty() && !closed) {
            first.add(item);
        }
        while (first.size() > max) {
            first.removeLast();
        }
        int count = first.size();
        int close = grammar.emit(then(JsonParts.GAP, text("]")), Grammar.RETURN);
        int end = grammar.emit(text("]"), Grammar.RETURN);
        int most = max == Expr.UNBOUNDED ? max : max - count;
        Expr more = Expr.repeat(then(JsonParts.COMMA, item), Math.max(0, min - count), most);
        int behind = closed ? (min > count ? Grammar.FAIL : close) : grammar.emit(more, close);
        for (int i = count - 1; i >= 0; i--) {
            int here =
                    grammar.emit(
                            i == 0 ? first.get(i) : then(JsonParts.COMMA, first.get(i)), behind);
            int stop = i == 0 ? end : close;
            behind = i >= min ? grammar.split(here, stop) : here;
        }
        if (count == 0) {
            behind = min == 0 ? end : Grammar.FAIL;
        }
        return grammar.emit(then(text("["), JsonParts.GAP), behind);
    }

    private Expr string(ObjectNode schema, String at) {
        int min = Keywords.count(schema, "minLength", 0, at);
        int max = Keywords.count(schema, "maxLength", Expr.UNBOUNDED, at);
        Optional<String> pattern = Keywords.text(schema, "pattern", at);
        Optional<String> format = Keywords.text(schema, "format", at);
        boolean sized = min > 0 || max < Expr.UNBOUNDED;
        if ((pattern.isPresent() || format.isPresent()) && sized
                || pattern.isPresent() && format.isPresent()) {
            throw new UsageException(
                    "the JSON Schema at %s: only one of pattern, format and lengths is supported for a string: put the lengths into the pattern"
                            .formatted(at));
        }
        Expr content = Expr.repeat(JsonParts.CHARACTER, min, max);
        if (pattern.isPresent()) {
            content =
                    RegularExpression.inString(pattern.get(), "the pattern at " + at + "/pattern");
        } else if (format.isPresent()) {
            content =
                    Formats.of(format.get())
                            .orElseThrow(() ->
                                    Keywords.error(at, "format", "one of " + Formats.names()));
        }
        return then(text("\""), content, text("\""));
    }

    private static Expr number(ObjectNode schema, boolean whole, String at) {
        if (Keywords.NUMBER.stream().noneMatch(schema::has)) {
            return whole ? JsonParts.INTEGER : JsonParts.NUMBER;
        }
        Bound low = bound(schema, "minimum", "exclusiveMinimum", 1, whole, at);
        Bound high = bound(schema, "maximum", "exclusiveMaximum", -1, whole, at);
        return whole
                ? Numbers.integers(low.value, high.value)
                : Numbers.decimals(low.value, low.open, high.value, high.open);
    }

    /// @param open whether the value itself is out
    private record Bound(BigInteger value, boolean open) {}

    /// @param inwards 1 for a lower bound, -1 for an upper one
    private static Bound bound(
            ObjectNode schema,
            String keyword,
            String exclusive,
            int inwards,
            boolean whole,
            String at) {
        BigDecimal least = new BigDecimal(Numbers.LARGEST).multiply(BigDecimal.valueOf(-inwards));
        BigDecimal value = Keywords.number(schema, keyword, at).orElse(least);
        Optional<BigDecimal> other = Keywords.number(schema, exclusive, at);
        boolean open =
                other.isPresent() && Integer.signum(other.get().compareTo(value)) * inwards >= 0;
        if (open) {
            value = other.orElse(value);
        }
        if (value.stripTrailingZeros().scale() <= 0) {
            BigInteger number = value.toBigInteger();
            return whole && open
                    ? new Bound(number.add(BigInteger.valueOf(inwards)), false)
                    : new Bound(number, open);
        }
        if (!whole) {
            throw Keywords.error(
                    at, open ? exclusive : keyword, "a whole number where numbers have fractions");
        }
        RoundingMode mode = inwards > 0 ? RoundingMode.CEILING : RoundingMode.FLOOR;
        return new Bound(value.setScale(0, mode).toBigInteger(), false);
    }
}
