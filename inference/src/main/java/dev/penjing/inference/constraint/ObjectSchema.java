package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntBiFunction;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.ObjectNode;

/// What a schema says of objects. One that declares members has no others, unless it says that it
/// may: small models go on inventing members where they can.
final class ObjectSchema {
    private static final int MOST_PROPERTIES = 1_000;

    private final Grammar.Builder grammar;
    private final Schemas schemas;
    private final Notes notes;
    private final ToIntBiFunction<JsonNode, String> rules;

    /// @param rules the rule of a schema at a place
    ObjectSchema(
            Grammar.Builder grammar,
            Schemas schemas,
            Notes notes,
            ToIntBiFunction<JsonNode, String> rules) {
        this.grammar = grammar;
        this.schemas = schemas;
        this.notes = notes;
        this.rules = rules;
    }

    int object(ObjectNode schema, String at) {
        Map<String, JsonNode> properties = map(schema, "properties", at);
        Map<String, Automaton> patterns = patterns(schema, at);
        Set<String> required = required(schema, at);
        List<ObjectRule.Member> members = new ArrayList<>();
        properties.forEach((name, value) -> {
            String where = at + "/properties/" + Keywords.escape(name);
            JsonNode whole = Schemas.both(value, matching(schema, patterns, name));
            int rule = rules.applyAsInt(whole, where);
            members.add(member(name, rule, required.remove(name)));
        });
        String said =
                schema.has("additionalProperties")
                        ? "additionalProperties"
                        : "unevaluatedProperties";
        boolean silent = !schema.has(said);
        JsonNode additional = silent ? BooleanNode.TRUE : schema.path(said);
        int others = rules.applyAsInt(additional, at + "/" + said);
        for (String name : required) {
            List<JsonNode> matching = matching(schema, patterns, name);
            JsonNode value =
                    matching.isEmpty() ? additional : Schemas.both(BooleanNode.TRUE, matching);
            members.add(member(name, rules.applyAsInt(value, at + "/required"), true));
        }
        boolean declares = !properties.isEmpty() || !patterns.isEmpty();
        boolean open = silent ? !declares : !additional.equals(BooleanNode.FALSE);
        List<ObjectRule.Kind> kinds = new ArrayList<>();
        patterns.forEach((pattern, automaton) -> {
            String where = at + "/patternProperties/" + Keywords.escape(pattern);
            int rule = rules.applyAsInt(schema.path("patternProperties").path(pattern), where);
            List<Automaton> rest = new ArrayList<>(patterns.values());
            rest.remove(automaton);
            kinds.add(kind(schema, List.of(automaton), rest, rule, at));
        });
        if (open) {
            kinds.add(kind(schema, List.of(), List.copyOf(patterns.values()), others, at));
        }
        return new ObjectRule(grammar).emit(members, kinds, size(schema, members, kinds, at));
    }

    private static ObjectRule.Member member(String name, int rule, boolean required) {
        return new ObjectRule.Member(name, JsonParts.quoted(name), rule, required);
    }

    private static Map<String, JsonNode> map(ObjectNode schema, String keyword, String at) {
        JsonNode node = schema.path(keyword);
        if (!node.isMissingNode() && !node.isObject()) {
            throw Keywords.error(at, keyword, "an object");
        }
        if (node.size() > MOST_PROPERTIES) {
            throw new UsageException(
                    "the JSON Schema at %s has more than %,d properties: make it smaller"
                            .formatted(at, MOST_PROPERTIES));
        }
        Map<String, JsonNode> map = new LinkedHashMap<>();
        node.properties().forEach(e -> map.put(e.getKey(), e.getValue()));
        return map;
    }

    private Map<String, Automaton> patterns(ObjectNode schema, String at) {
        Map<String, Automaton> patterns = new LinkedHashMap<>();
        for (String pattern : map(schema, "patternProperties", at).keySet()) {
            String where = at + "/patternProperties/" + Keywords.escape(pattern);
            RegularExpression.inString(pattern, where, notes)
                    .ifPresent(expr -> patterns.put(pattern, Product.automaton(expr)));
        }
        return patterns;
    }

    private static Set<String> required(ObjectNode schema, String at) {
        Set<String> required = new LinkedHashSet<>();
        for (JsonNode name : Keywords.list(schema, "required", at)) {
            if (!name.isString()) {
                throw Keywords.error(at, "required", "a list of names");
            }
            required.add(name.stringValue());
        }
        return required;
    }

    /// The schemas of `patternProperties` whose patterns a name matches.
    private static List<JsonNode> matching(
            ObjectNode schema, Map<String, Automaton> patterns, String name) {
        String quoted = JsonParts.quoted(name);
        String content = quoted.substring(1, quoted.length() - 1);
        return patterns.entrySet().stream()
                .filter(e -> e.getValue().accepts(content))
                .map(e -> schema.path("patternProperties").path(e.getKey()))
                .toList();
    }

    private ObjectRule.Kind kind(
            ObjectNode schema, List<Automaton> all, List<Automaton> none, int rule, String at) {
        List<Automaton> wanted = new ArrayList<>(all);
        JsonNode names = schema.path("propertyNames");
        if (!names.isMissingNode() && !names.equals(BooleanNode.TRUE)) {
            String where = at + "/propertyNames";
            ObjectNode flat = schemas.flat(names, where);
            Grammar.Builder builder = new Grammar.Builder("the JSON Schema");
            int entry = builder.rule(where);
            builder.define(entry, new Scalars(builder, notes).name(flat, where));
            wanted.add(new Automaton(builder.build()));
            for (String keyword : List.of("anyOf", "oneOf")) {
                if (flat.has(keyword)) {
                    notes.ignore(
                            keyword, where, Keywords.error(where, keyword, "left out for names"));
                }
            }
        }
        return new ObjectRule.Kind(wanted, none, rule);
    }

    private ObjectRule.Size size(
            ObjectNode schema,
            List<ObjectRule.Member> members,
            List<ObjectRule.Kind> kinds,
            String at) {
        int min = Keywords.count(schema, "minProperties", 0, at);
        int max = Keywords.count(schema, "maxProperties", Expr.UNBOUNDED, at);
        if (members.isEmpty()) {
            return new ObjectRule.Size(min, max);
        }
        if (min > members.stream().filter(ObjectRule.Member::required).count()) {
            notes.ignore("minProperties", at, beside("minProperties", at));
        }
        if (max < members.size() || max < Expr.UNBOUNDED && !kinds.isEmpty()) {
            notes.ignore("maxProperties", at, beside("maxProperties", at));
        }
        return ObjectRule.Size.ANY;
    }

    private static UsageException beside(String keyword, String at) {
        return new UsageException(
                "the JSON Schema at %s: '%s' beside properties is not supported: take it out"
                        .formatted(at, keyword));
    }
}
