package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

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

    /// Members that are not declared.
    ///
    /// @param all automata that read the content of their keys
    /// @param none those that do not
    /// @param rule of their values
    record Kind(List<Automaton> all, List<Automaton> none, int rule) {}

    /// How many members there are that are not declared.
    record Size(int min, int max) {
        static final Size ANY = new Size(0, Expr.UNBOUNDED);
    }

    /// @param kinds of members that may follow
    /// @return where the rule begins
    int emit(List<Member> members, List<Kind> kinds, Size size) {
        int close = grammar.emit(then(JsonParts.GAP, text("}")), Grammar.RETURN);
        int end = grammar.emit(text("}"), Grammar.RETURN);
        // what may come where a key is due, and whether all that may come is optional
        int due = Grammar.FAIL;
        boolean optional = size.min == 0;
        if (!kinds.isEmpty() && size.max > 0) {
            due = others(members, kinds, size, close);
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

    private int others(List<Member> members, List<Kind> kinds, Size size, int close) {
        grammar.open();
        int rule = grammar.rule("a member");
        int[] ways =
                kinds.stream()
                        .mapToInt(kind -> {
                            Expr value = then(JsonParts.COLON, new Expr.Call(kind.rule));
                            return key(members, kind, grammar.emit(value, Grammar.RETURN));
                        })
                        .toArray();
        grammar.define(rule, grammar.split(ways));
        Expr member = new Expr.Call(rule);
        int most = size.max == Expr.UNBOUNDED ? size.max : size.max - 1;
        Expr more = Expr.repeat(then(JsonParts.COMMA, member), Math.max(0, size.min - 1), most);
        return grammar.emit(then(member, more), close);
    }

    private int key(List<Member> members, Kind kind, int next) {
        if (kind.all.isEmpty() && kind.none.isEmpty()) {
            return otherKey(members, next);
        }
        List<Automaton> all = new ArrayList<>(kind.all);
        List<Automaton> none = new ArrayList<>(kind.none);
        // without backslashes, so that no name is met in disguise
        all.add(Product.automaton(Expr.star(JsonParts.PLAIN.plain())));
        members.forEach(member -> none.add(Product.automaton(text(member.name))));
        int quote = grammar.emit(text("\""), next);
        return grammar.emit(text("\""), Product.emit(grammar, all, none, quote).entry());
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
