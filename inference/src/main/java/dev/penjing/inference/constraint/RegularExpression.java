package dev.penjing.inference.constraint;

import dev.penjing.model.UsageException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.IntStream;

/// The regular expressions of JSON Schema (ECMA-262), as far as an automaton reads them:
/// characters, classes, groups, alternatives, repetitions; `^` and `$` at the ends of an
/// alternative of the whole.
final class RegularExpression {
    private static final int MOST_DEPTH = 64;
    private static final int MOST_LENGTH = 10_000;
    private static final int MOST_TIMES = 100_000;

    /// Characters that a text may have that uses no unbounded repetition more often than it must.
    private static final int MOST_WRITTEN = 500_000;

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
    private static final CodePoints NO_DIGIT = DIGIT.not();
    private static final CodePoints NO_WORD = WORD.not();
    private static final CodePoints NO_SPACE = SPACE.not();

    /// Unicode's general categories that were met.
    private static final Map<String, CodePoints> CATEGORIES = new ConcurrentHashMap<>();

    private final int[] pattern;
    private final String name;
    private final Function<CodePoints, Expr> writing;

    /// What was read of one character, by how the pattern has it.
    private final Map<String, Expr> known = new HashMap<>();

    private int at;
    private int depth;

    /// Whether it says something that is not supported.
    private boolean beyond;

    /// Characters that what was read may have, repetitions written out.
    private long written;

    private RegularExpression(String pattern, String name, Function<CodePoints, Expr> writing) {
        this.pattern = pattern.codePoints().toArray();
        this.name = name;
        this.writing = writing;
    }

    /// The content of a JSON string that matches. As JSON Schema has it, what is not anchored may
    /// stand anywhere in the string.
    ///
    /// @param name of the pattern, for an error
    /// @throws UsageException if it is no such expression
    static Expr inString(String pattern, String name) {
        return parse(reader(pattern, name, CodePoints::inString), Expr.star(ALL.inString()));
    }

    /// As above; empty if it is an expression that says something that is not supported.
    static Optional<Expr> inString(String pattern, String at, Notes notes) {
        RegularExpression reader = reader(pattern, "the pattern at " + at, CodePoints::inString);
        try {
            return Optional.of(parse(reader, Expr.star(ALL.inString())));
        } catch (UsageException e) {
            if (!reader.beyond) {
                throw e;
            }
            notes.ignore("pattern", at, e);
            return Optional.empty();
        }
    }

    /// The texts that match from one end to the other, anchors or not.
    ///
    /// @throws UsageException as above
    static Expr plain(String pattern, String name) {
        return parse(reader(pattern, name, CodePoints::plain), Expr.EMPTY);
    }

    private static RegularExpression reader(
            String pattern, String name, Function<CodePoints, Expr> writing) {
        if (pattern.length() > MOST_LENGTH) {
            throw new UsageException(
                    "%s is longer than %,d characters: shorten it".formatted(name, MOST_LENGTH));
        }
        return new RegularExpression(pattern, name, writing);
    }

    /// @param around what may stand where there is no anchor
    private static Expr parse(RegularExpression parser, Expr around) {
        Expr expr = parser.whole(around);
        if (parser.at < parser.pattern.length) {
            throw parser.error("has a ')' too many");
        }
        return expr;
    }

    private UsageException error(String problem) {
        return new UsageException(
                "%s %s (character %d): write it another way".formatted(name, problem, at + 1));
    }

    /// Of what an expression may say, but is not supported.
    private UsageException unsupported(String problem) {
        beyond = true;
        return error(problem);
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

    private Expr whole(Expr around) {
        List<Expr> options = new ArrayList<>();
        do {
            Expr before = skip("^") ? Expr.EMPTY : around;
            Expr middle = terms();
            boolean end = skip("$");
            options.add(Expr.then(before, middle, end ? Expr.EMPTY : around));
            if (ahead("$") || ahead("^") || end && at < pattern.length && !ahead("|")) {
                throw unsupported("has an anchor in the middle");
            }
        } while (skip("|"));
        return new Expr.Or(options);
    }

    private Expr choice() {
        List<Expr> options = new ArrayList<>();
        do {
            options.add(terms());
            if (ahead("$") || ahead("^")) {
                throw unsupported("has an anchor in a group");
            }
        } while (skip("|"));
        return new Expr.Or(options);
    }

    private Expr terms() {
        List<Expr> parts = new ArrayList<>();
        while (at < pattern.length && !ahead("|") && !ahead(")") && !ahead("$") && !ahead("^")) {
            long before = written;
            parts.add(repeated(atom(), before));
        }
        return new Expr.Then(parts);
    }

    private Expr atom() {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> one(at - 1, set());
            case '.' -> one(at - 1, DOT);
            case '\\' -> one(at - 1, escape(false));
            case '*', '+', '?', '{' -> {
                at--;
                throw error("repeats nothing");
            }
            default -> one(at - 1, CodePoints.range(c, c));
        };
    }

    /// @param from where it stands in the pattern, up to here
    private Expr one(int from, CodePoints characters) {
        written++;
        return known.computeIfAbsent(
                new String(pattern, from, at - from), _ -> writing.apply(characters));
    }

    private Expr group() {
        if (++depth > MOST_DEPTH) {
            throw unsupported("has groups more than %d deep".formatted(MOST_DEPTH));
        }
        if (skip("?<") && !ahead("=") && !ahead("!")) {
            while (next() != '>') {
                // a name, of no meaning here
            }
        } else if (ahead("?=") || ahead("?!") || pattern[at - 1] == '<') {
            throw unsupported("looks ahead or behind, which is not supported");
        } else if (ahead("?") && !skip("?:")) {
            at++;
            int kind = next();
            throw unsupported(
                    "has a group (?%s, which is not supported".formatted(Character.toString(kind)));
        }
        Expr inside = choice();
        if (!skip(")")) {
            throw error("lacks a ')'");
        }
        depth--;
        return inside;
    }

    /// @param before what was written before the atom
    private Expr repeated(Expr atom, long before) {
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
            throw unsupported("has a possessive repetition");
        }
        if (ahead("*") || ahead("{")) {
            throw error("repeats a repetition");
        }
        long times = max == Expr.UNBOUNDED ? Math.max(1, min) : max;
        written = before + (written - before) * times;
        if (written > MOST_WRITTEN) {
            throw unsupported(
                    "allows texts of %,d characters, more than %,d"
                            .formatted(written, MOST_WRITTEN));
        }
        return Expr.repeat(atom, min, max);
    }

    private int number() {
        int from = at;
        int value = 0;
        while (at < pattern.length && pattern[at] >= '0' && pattern[at] <= '9') {
            value = value * 10 + pattern[at++] - '0';
            if (value > MOST_TIMES) {
                throw unsupported("repeats more than %,d times".formatted(MOST_TIMES));
            }
        }
        if (from == at) {
            throw error("has a repetition without a number");
        }
        return value;
    }

    private CodePoints set() {
        boolean negated = skip("^");
        BitSet all = new BitSet();
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
            all.or(from.bits());
        }
        CodePoints characters = new CodePoints(all);
        return negated ? characters.not() : characters;
    }

    private CodePoints member() {
        int c = next();
        return c == '\\' ? escape(true) : CodePoints.range(c, c);
    }

    private CodePoints escape(boolean inClass) {
        int c = next();
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> NO_DIGIT;
            case 'w' -> WORD;
            case 'W' -> NO_WORD;
            case 's' -> SPACE;
            case 'S' -> NO_SPACE;
            case 'n' -> CodePoints.of("\n");
            case 'r' -> CodePoints.of("\r");
            case 't' -> CodePoints.of("\t");
            case 'f' -> CodePoints.of("\f");
            case 'v' -> CodePoints.of("\u000b");
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'p' -> category();
            case 'P' -> category().not();
            case 'b' -> {
                if (inClass) {
                    yield CodePoints.of("\b");
                }
                throw unsupported("has a word border, which is not supported");
            }
            default -> {
                if (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
                    throw unsupported(
                            "has the escape \\%s, which is not supported".formatted((char) c));
                }
                yield CodePoints.range(c, c);
            }
        };
    }

    /// What stands behind `\p`: one of Unicode's general categories.
    private CodePoints category() {
        if (!skip("{")) {
            throw error("has a category without braces");
        }
        StringBuilder name = new StringBuilder();
        for (int c = next(); c != '}'; c = next()) {
            name.appendCodePoint(c);
        }
        // java.util.regex knows the same categories by the same names
        if (!name.toString().matches("[LMNPSZ][a-z]?")) {
            throw unsupported("has the category %s, which is not supported".formatted(name));
        }
        try {
            return CATEGORIES.computeIfAbsent(name.toString(), RegularExpression::category);
        } catch (PatternSyntaxException e) {
            throw error("has the category %s, which is none".formatted(name));
        }
    }

    private static CodePoints category(String name) {
        Predicate<String> is = Pattern.compile("\\p{" + name + "}").asMatchPredicate();
        BitSet bits = new BitSet();
        IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
                .filter(c -> is.test(Character.toString(c)))
                .forEach(bits::set);
        return new CodePoints(bits);
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
