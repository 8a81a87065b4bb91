package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// Objects: members in the order of the schema, those that are not required may be left out, then
/// the additional ones.
final class ObjectRule {
    /// @param key as it stands in JSON, with its quotation marks
    /// @param rule of its value
    record Member(String name, String key, int rule, boolean required) {}

    private final Grammar.Builder grammar;

    ObjectRule(Grammar.Builder grammar) {
        this.grammar = grammar;
    }

    /// @param additional the rule of other members' values, if there may be any
    /// @return where the rule begins
    int emit(List<Member> members, OptionalInt additional) {
        int close = grammar.emit(then(JsonParts.GAP, text("}")), Grammar.RETURN);
        int end = grammar.emit(text("}"), Grammar.RETURN);
        // what may come where a key is due, and whether all that may come is optional
        int due = Grammar.FAIL;
        boolean optional = true;
        if (additional.isPresent()) {
            due = others(members, additional.getAsInt(), close);
        }
        for (Member member : members.reversed()) {
            int more = grammar.emit(JsonParts.COMMA, due);
            int behind = optional ? grammar.split(more, close) : more;
            Expr value = then(JsonParts.COLON, new Expr.Call(member.rule()));
            int key = grammar.emit(then(text(member.key()), value), behind);
            due = member.required() ? key : grammar.split(key, due);
            optional &= !member.required();
        }
        int first = optional ? grammar.split(due, end) : due;
        return grammar.emit(then(text("{"), JsonParts.GAP), first);
    }

    private int others(List<Member> members, int rule, int close) {
        // reserved first: it leads back to itself, through a comma
        int loop = grammar.reserve();
        int behind = grammar.split(loop, close);
        int colon = grammar.emit(then(JsonParts.COLON, new Expr.Call(rule)), behind);
        int key = otherKey(members, colon);
        grammar.lead(loop, grammar.emit(JsonParts.COMMA, key));
        return key;
    }

    /// A key that no member has. It is written without backslashes, so that none is met in
    /// disguise.
    private int otherKey(List<Member> members, int next) {
        List<int[]> names = new ArrayList<>();
        for (Member member : members) {
            if (member.key().equals('"' + member.name() + '"')) {
                names.add(member.name().codePoints().toArray());
            }
        }
        int quote = grammar.emit(text("\""), next);
        if (names.isEmpty()) {
            return grammar.emit(JsonParts.STRING, next);
        }
        names.sort(Arrays::compare);
        CodePoints ascii = CodePoints.range(0, 0x7f);
        CodePoints narrow = ascii.minus(JsonParts.PLAIN.not());
        CodePoints wide = ascii.not();
        int tail = grammar.emit(Expr.star(JsonParts.PLAIN.plain()), quote);
        int anyWide = grammar.emit(wide.plain(), tail);
        StringSet tree = new StringSet(names);
        int[] nodes = new int[tree.size()];
        for (int at = nodes.length - 1; at >= 0; at--) {
            List<Integer> ways = new ArrayList<>();
            CodePoints taken = CodePoints.of("");
            for (int child : tree.children(at)) {
                int c = tree.symbol(child);
                CodePoints one = CodePoints.range(c, c);
                taken = taken.or(one);
                ways.add(grammar.emit(one.plain(), nodes[child]));
            }
            ways.add(grammar.emit(narrow.minus(taken).plain(), tail));
            boolean wideTaken = taken.bits().length() > 0x80;
            ways.add(wideTaken ? grammar.emit(wide.minus(taken).plain(), tail) : anyWide);
            if (!tree.end(at)) {
                ways.add(quote);
            }
            nodes[at] = grammar.split(ways.stream().mapToInt(Integer::intValue).toArray());
        }
        return grammar.emit(text("\""), nodes[0]);
    }
}
