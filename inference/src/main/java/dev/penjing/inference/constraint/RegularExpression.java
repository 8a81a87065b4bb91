package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.List;

/// The regular expressions of JSON Schema (ECMA-262), as far as an automaton reads them:
/// characters, classes, groups, alternatives, repetitions; `^` and `$` at the ends of an
/// alternative of the whole. As there, what is not anchored may stand anywhere in the string.
final class RegularExpression {
    private static final int MOST_DEPTH = 64;
    private static final int MOST_LENGTH = 10_000;
    private static final int MOST_TIMES = 100_000;
    private static final CodePoints DIGIT = CodePoints.range('0', '9');
    private static final CodePoints WORD =
            DIGIT.or(CodePoints.range('a', 'z'))
                    .or(CodePoints.range('A', 'Z'))
                    .or(CodePoints.of("_"));
    private static final CodePoints SPACE =
            CodePoints.of(
                    "\t\n\u000b\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff");
    private static final CodePoints DOT = CodePoints.of("\n\r\u2028\u2029").not();
    private static final CodePoints ALL = CodePoints.of("").not();

    private final int[] pattern;
    private final String where;
    private int at;
    private int depth;

    private RegularExpression(String pattern, String where) {
        this.pattern = pattern.codePoints().toArray();
        this.where = where;
    }

    /// The content of a JSON string that matches.
    ///
    /// @param where the pattern is, for an error
    /// @throws UsageException if it is no such expression
    static Expr parse(String pattern, String where) {
        if (pattern.length() > MOST_LENGTH) {
            throw new UsageException(
                    "the pattern at %s is longer than %,d characters: shorten it"
                            .formatted(where, MOST_LENGTH));
        }
        RegularExpression parser = new RegularExpression(pattern, where);
        Expr expr = parser.whole();
        if (parser.at < parser.pattern.length) {
            throw parser.error("has a ')' too many");
        }
        return expr;
    }

    private UsageException error(String problem) {
        return new UsageException(
                "the pattern at %s %s (character %d): write it another way"
                        .formatted(where, problem, at + 1));
    }

    private boolean ahead(String text) {
        int[] wanted = text.codePoints().toArray();
        for (int i = 0; i < wanted.length; i++) {
            if (at + i >= pattern.length || pattern[at + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    private boolean skip(String text) {
        boolean there = ahead(text);
        at += there ? text.length() : 0;
        return there;
    }

    private int next() {
        if (at == pattern.length) {
            throw error("ends too early");
        }
        return pattern[at++];
    }

    private Expr whole() {
        Expr anything = Expr.star(ALL.inString());
        List<Expr> options = new ArrayList<>();
        do {
            Expr before = skip("^") ? Expr.EMPTY : anything;
            Expr middle = terms();
            Expr after = skip("$") ? Expr.EMPTY : anything;
            options.add(Expr.then(before, middle, after));
            if (ahead("$") || ahead("^")) {
                throw error("has an anchor in the middle");
            }
        } while (skip("|"));
        return new Expr.Or(options);
    }

    private Expr choice() {
        List<Expr> options = new ArrayList<>();
        do {
            options.add(terms());
            if (ahead("$") || ahead("^")) {
                throw error("has an anchor in a group");
            }
        } while (skip("|"));
        return new Expr.Or(options);
    }

    private Expr terms() {
        List<Expr> parts = new ArrayList<>();
        while (at < pattern.length && !ahead("|") && !ahead(")") && !ahead("$") && !ahead("^")) {
            parts.add(repeated(atom()));
        }
        return new Expr.Then(parts);
    }

    private Expr atom() {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> set().inString();
            case '.' -> DOT.inString();
            case '\\' -> escape(false).inString();
            case '*', '+', '?', '{' -> {
                at--;
                throw error("repeats nothing");
            }
            default -> CodePoints.range(c, c).inString();
        };
    }

    private Expr group() {
        if (++depth > MOST_DEPTH) {
            throw error("has groups more than %d deep".formatted(MOST_DEPTH));
        }
        if (skip("?<") && !ahead("=") && !ahead("!")) {
            while (next() != '>') {
                // a name, of no meaning here
            }
        } else if (ahead("?") && !skip("?:") || at > 1 && pattern[at - 1] == '<') {
            throw error("looks ahead or behind, which is not supported");
        }
        Expr inside = choice();
        if (!skip(")")) {
            throw error("lacks a ')'");
        }
        depth--;
        return inside;
    }

    private Expr repeated(Expr atom) {
        int min;
        int max;
        if (skip("*")) {
            min = 0;
            max = Expr.UNBOUNDED;
        } else if (skip("+")) {
            min = 1;
            max = Expr.UNBOUNDED;
        } else if (skip("?")) {
            min = 0;
            max = 1;
        } else if (skip("{")) {
            min = number();
            max = skip(",") ? ahead("}") ? Expr.UNBOUNDED : number() : min;
            if (!skip("}") || max < min) {
                throw error("has a repetition that is none");
            }
        } else {
            return atom;
        }
        // a lazy repetition matches the same strings
        if (!skip("?") && ahead("+")) {
            throw error("has a possessive repetition");
        }
        if (ahead("*") || ahead("{")) {
            throw error("repeats a repetition");
        }
        return Expr.repeat(atom, min, max);
    }

    private int number() {
        int from = at;
        int value = 0;
        while (at < pattern.length && pattern[at] >= '0' && pattern[at] <= '9') {
            value = value * 10 + pattern[at++] - '0';
            if (value > MOST_TIMES) {
                throw error("repeats more than %,d times".formatted(MOST_TIMES));
            }
        }
        if (from == at) {
            throw error("has a repetition without a number");
        }
        return value;
    }

    private CodePoints set() {
        boolean negated = skip("^");
        CodePoints all = CodePoints.of("");
        while (!skip("]")) {
            CodePoints from = member();
            if (ahead("-") && at + 1 < pattern.length && pattern[at + 1] != ']') {
                at++;
                CodePoints to = member();
                if (from.bits().cardinality() != 1 || to.bits().cardinality() != 1) {
                    throw error("has a range that does not go from one character to another");
                }
                int first = from.bits().nextSetBit(0);
                int last = to.bits().nextSetBit(0);
                if (first > last) {
                    throw error("has a range that goes backwards");
                }
                from = CodePoints.range(first, last);
            }
            all = all.or(from);
        }
        return negated ? all.not() : all;
    }

    private CodePoints member() {
        int c = next();
        return c == '\\' ? escape(true) : CodePoints.range(c, c);
    }

    private CodePoints escape(boolean inClass) {
        int c = next();
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 'n' -> CodePoints.of("\n");
            case 'r' -> CodePoints.of("\r");
            case 't' -> CodePoints.of("\t");
            case 'f' -> CodePoints.of("\f");
            case 'v' -> CodePoints.of("\u000b");
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'b' -> {
                if (inClass) {
                    yield CodePoints.of("\b");
                }
                throw error("has a word border, which is not supported");
            }
            default -> {
                if (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
                    throw error("has the escape \\%s, which is not supported".formatted((char) c));
                }
                yield CodePoints.range(c, c);
            }
        };
    }

    private CodePoints hexadecimal(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(next(), 16);
            if (digit < 0) {
                throw error("has an escape without its %d digits".formatted(digits));
            }
            value = value * 16 + digit;
        }
        return CodePoints.range(value, value);
    }
}
