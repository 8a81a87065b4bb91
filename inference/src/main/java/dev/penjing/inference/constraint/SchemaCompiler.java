package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import dev.penjing.model.UsageException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.ObjectNode;

/// Makes a grammar of a JSON Schema: a rule for each schema in it, so that a recursive one ends.
final class SchemaCompiler {
    private static final int MOST_RULES = 10_000;

    private record Pending(int rule, JsonNode schema, String at) {}

    private final Grammar.Builder grammar = new Grammar.Builder("the JSON Schema");
    private final Schemas schemas;
    private final Map<JsonNode, Integer> rules = new HashMap<>();
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();

    private final Notes notes;
    private final Scalars scalars;
    private final ObjectSchema objects;

    private SchemaCompiler(JsonNode root, Notes notes) {
        this.schemas = new Schemas(root, notes);
        this.notes = notes;
        this.scalars = new Scalars(grammar, notes);
        this.objects = new ObjectSchema(grammar, schemas, notes, this::rule);
    }

    /// @param notes gets what of the schema is passed over
    /// @throws UsageException if the schema says something that is not supported and may not be
    ///   passed over, or nothing fits it
    static Grammar compile(JsonNode schema, Notes notes) {
        SchemaCompiler compiler = new SchemaCompiler(schema, notes);
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
            grammar.open();
            return grammar.emit(JsonParts.value(rule), Grammar.RETURN);
        }
        if (schema instanceof ObjectNode given
                && Keywords.tidy(given, at, notes) instanceof ObjectNode object
                && Schemas.onlyReference(object)) {
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
        List<JsonNode> values =
                new ArrayList<>(
                        schema.has("enum")
                                ? Keywords.list(schema, "enum", at)
                                : List.of(schema.path("const")));
        if (schema.has("const")) {
            values.removeIf(value -> !value.equals(schema.path("const")));
        }
        List<String> types = Keywords.types(schema, at);
        values.removeIf(
                value -> !Keywords.fits(value, types) || !Scalars.fits(value, schema, at, notes));
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
                                            text(JsonParts.quoted(e.getKey())),
                                            constant(e.getValue()))));
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

    private int typed(ObjectNode schema, String type, String at) {
        return switch (type) {
            case "object" -> objects.object(schema, at);
            case "array" -> array(schema, at);
            case "string" -> scalars.string(schema, at);
            case "number", "integer" -> scalars.number(schema, type.equals("integer"), at);
            case "boolean" -> grammar.emit(Expr.or(text("true"), text("false")), Grammar.RETURN);
            default -> grammar.emit(text("null"), Grammar.RETURN);
        };
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
}
