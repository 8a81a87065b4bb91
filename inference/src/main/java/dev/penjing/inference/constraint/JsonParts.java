package dev.penjing.inference.constraint;

import static dev.penjing.inference.constraint.Expr.oneOf;
import static dev.penjing.inference.constraint.Expr.optional;
import static dev.penjing.inference.constraint.Expr.or;
import static dev.penjing.inference.constraint.Expr.range;
import static dev.penjing.inference.constraint.Expr.repeat;
import static dev.penjing.inference.constraint.Expr.star;
import static dev.penjing.inference.constraint.Expr.text;
import static dev.penjing.inference.constraint.Expr.then;

import tools.jackson.databind.node.JsonNodeFactory;

/// The pieces of JSON (RFC 8259). What JSON leaves unbounded, and a model could go on with for
/// ever, is bounded: white space and the digits of numbers.
final class JsonParts {
    /// Digits of a whole number, and of a fraction, at most.
    static final int MOST_DIGITS = 20;

    /// Behind what opens, before what closes, behind a comma and a colon: a blank or nothing. Small
    /// models like to go on with blanks until the answer is cut off, and an indented one may not
    /// fit into a small context; calls of functions are written on one line in training, too.
    static final Expr GAP = optional(text(" "));

    static final Expr COLON = then(text(":"), GAP);
    static final Expr COMMA = then(text(","), GAP);
    static final Expr DIGIT = range('0', '9');
    static final Expr NATURAL =
            or(text("0"), then(range('1', '9'), repeat(DIGIT, 0, MOST_DIGITS - 1)));
    static final Expr INTEGER = then(optional(text("-")), NATURAL);
    static final Expr FRACTION = then(text("."), repeat(DIGIT, 1, MOST_DIGITS));
    static final Expr NUMBER =
            then(
                    INTEGER,
                    optional(FRACTION),
                    optional(then(oneOf("eE"), optional(oneOf("+-")), repeat(DIGIT, 1, 2))));
    static final Expr LITERAL = or(text("true"), text("false"), text("null"));

    /// Characters that a string may hold as they are.
    static final CodePoints PLAIN = CodePoints.range(0, 0x1f).or(CodePoints.of("\"\\")).not();

    /// One character of a string, however it is written; surrogates in pairs only.
    static final Expr CHARACTER = or(PLAIN.plain(), then(text("\\"), escape()));

    static final Expr STRING = then(text("\""), star(CHARACTER), text("\""));

    private JsonParts() {}

    private static Expr escape() {
        Expr hex = oneOf("0123456789abcdefABCDEF");
        Expr d = oneOf("dD");
        Expr low = then(d, oneOf("cdefCDEF"), hex, hex);
        Expr high = then(d, oneOf("89abAB"), hex, hex);
        return or(
                oneOf("\"\\/bfnrt"),
                then(text("u"), oneOf("0123456789abcefABCEF"), hex, hex, hex),
                then(text("u"), d, range('0', '7'), hex, hex),
                then(text("u"), high, text("\\u"), low));
    }

    /// A text as JSON has it.
    static String quoted(String text) {
        return JsonNodeFactory.instance.stringNode(text).toString();
    }

    static Expr list(String open, Expr item, String close) {
        Expr items = then(item, star(then(COMMA, item)));
        return then(text(open), GAP, optional(then(items, GAP)), text(close));
    }

    static Expr member(Expr key, Expr value) {
        return then(key, COLON, value);
    }

    /// @param any the rule of any value
    static Expr object(int any) {
        return list("{", member(STRING, new Expr.Call(any)), "}");
    }

    /// @param any the rule of any value
    static Expr array(int any) {
        return list("[", new Expr.Call(any), "]");
    }

    /// @param any the rule of any value, which this is to be
    static Expr value(int any) {
        return or(object(any), array(any), STRING, NUMBER, LITERAL);
    }
}
