package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.text;

import dev.penjing.model.UsageException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a schema says of strings and numbers, as nodes of a grammar.
final class Scalars {
    private final Grammar.Builder grammar;
    private final Notes notes;

    Scalars(Grammar.Builder grammar, Notes notes) {
        this.grammar = grammar;
        this.notes = notes;
    }

    int string(ObjectNode schema, String at) {
        int end = grammar.emit(text("\""), Grammar.RETURN);
        return grammar.emit(text("\""), content(schema, at, end));
    }

    /// What a name is between its quotation marks.
    int name(ObjectNode schema, String at) {
        List<JsonNode> values = new ArrayList<>(Keywords.list(schema, "enum", at));
        if (schema.has("const")) {
            values.add(schema.path("const"));
        }
        if (!schema.has("enum") && !schema.has("const")) {
            return content(schema, at, Grammar.RETURN);
        }
        List<String> names = new ArrayList<>();
        for (JsonNode value : values) {
            if (value.isString() && fits(value, schema, at, notes)) {
                String quoted = value.toString();
                names.add(quoted.substring(1, quoted.length() - 1));
            }
        }
        return grammar.emitTexts(names);
    }

    /// What stands between the quotation marks of a string.
    int content(ObjectNode schema, String at, int next) {
        int min = Keywords.count(schema, "minLength", 0, at);
        int max = Keywords.count(schema, "maxLength", Expr.UNBOUNDED, at);
        boolean sized = min > 0 || max < Expr.UNBOUNDED;
        Optional<Expr> pattern =
                Keywords.text(schema, "pattern", at)
                        .flatMap(p -> RegularExpression.inString(p, at + "/pattern", notes));
        // what is not known as a format is a remark
        Optional<Expr> format = Keywords.text(schema, "format", at).flatMap(Formats::of);
        List<Expr> all = new ArrayList<>();
        if (sized) {
            all.add(Expr.repeat(JsonParts.CHARACTER, min, max));
        }
        pattern.ifPresent(all::add);
        if (format.isPresent()) {
            all.add(format.get());
            if (all.size() == 1) {
                return grammar.emit(format.get(), next);
            }
            Product.Result product = Product.emit(grammar, all, next);
            if (product.fits()) {
                return product.entry();
            }
            all.removeLast();
        }
        if (all.size() < 2) {
            Expr only = all.isEmpty() ? Expr.star(JsonParts.CHARACTER) : all.getFirst();
            return grammar.emit(only, next);
        }
        Product.Result product = Product.emit(grammar, all, next);
        if (!product.fits() && product.cut()) {
            notes.ignore("minLength", at, tooLarge("the lengths beside the pattern", at));
            return grammar.emit(all.getLast(), next);
        }
        return product.entry();
    }

    private static UsageException tooLarge(String what, String at) {
        return new UsageException(
                "the JSON Schema at %s: %s need too many steps: allow shorter texts, or smaller numbers"
                        .formatted(at, what));
    }

    int number(ObjectNode schema, boolean whole, String at) {
        if (Keywords.NUMBER.stream().noneMatch(schema::has)) {
            return grammar.emit(whole ? JsonParts.INTEGER : JsonParts.NUMBER, Grammar.RETURN);
        }
        List<Expr> between = between(schema, whole, at);
        List<Automaton> all = new ArrayList<>();
        Optional<BigDecimal> step = Keywords.number(schema, "multipleOf", at);
        if (step.isPresent() && step.get().signum() <= 0) {
            throw Keywords.error(at, "multipleOf", "a number above 0");
        }
        step.flatMap(Numbers::multiples).ifPresent(all::add);
        if (step.isPresent() && all.isEmpty()) {
            notes.ignore("multipleOf", at, tooLarge("multiples of " + step.get(), at));
        }
        if (all.isEmpty() && between.size() == 1) {
            return grammar.emit(between.getFirst(), Grammar.RETURN);
        }
        between.forEach(expr -> all.add(Product.automaton(expr)));
        Product.Result product = Product.emit(grammar, all, List.of(), Grammar.RETURN);
        if (!product.fits() && product.cut()) {
            notes.ignore("multipleOf", at, tooLarge("multiples between these bounds", at));
            return grammar.emit(between.getFirst(), Grammar.RETURN);
        }
        return product.entry();
    }

    /// What a number must be, all of it.
    private static List<Expr> between(ObjectNode schema, boolean whole, String at) {
        Bound low = bound(schema, "minimum", "exclusiveMinimum", 1, whole, at);
        Bound high = bound(schema, "maximum", "exclusiveMaximum", -1, whole, at);
        if (whole) {
            return List.of(Numbers.integers(low.number(), high.number()));
        }
        if (low.whole() && high.whole()) {
            return List.of(Numbers.decimals(low.number(), low.open, high.number(), high.open));
        }
        return List.of(Numbers.from(low.value, low.open), Numbers.to(high.value, high.open));
    }

    /// Whether a constant fits what stands beside it. Of formats, which are remarks, and of lists
    /// and objects nothing is looked at.
    static boolean fits(JsonNode value, ObjectNode schema, String at, Notes notes) {
        List<String> keywords =
                value.isString() ? Keywords.STRING : value.isNumber() ? Keywords.NUMBER : List.of();
        if (keywords.stream().noneMatch(schema::has)) {
            return true;
        }
        Grammar.Builder builder = new Grammar.Builder("the JSON Schema");
        Scalars scalars = new Scalars(builder, notes);
        ObjectNode rest = Schemas.without(schema, "format");
        int rule = builder.rule(at);
        builder.define(
                rule,
                value.isString() ? scalars.string(rest, at) : scalars.number(rest, false, at));
        Automaton automaton = new Automaton(builder.build());
        String text = value.isNumber() ? value.decimalValue().toPlainString() : value.toString();
        return automaton.accepts(text);
    }

    /// @param open whether the value itself is out
    private record Bound(BigDecimal value, boolean open) {
        boolean whole() {
            return value.stripTrailingZeros().scale() <= 0;
        }

        BigInteger number() {
            return value.toBigInteger();
        }
    }

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
        RoundingMode mode = inwards > 0 ? RoundingMode.CEILING : RoundingMode.FLOOR;
        if (!whole) {
            // no more digits than are written
            int scale = Math.min(value.scale(), JsonParts.MOST_DIGITS - 1);
            return new Bound(value.setScale(scale, mode), open);
        }
        BigDecimal rounded = value.setScale(0, mode);
        return open && rounded.compareTo(value) == 0
                ? new Bound(rounded.add(BigDecimal.valueOf(inwards)), false)
                : new Bound(rounded, false);
    }
}
