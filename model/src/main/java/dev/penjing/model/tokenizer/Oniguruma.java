package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.util.Set;

/// A pattern as Hugging Face's library reads it, turned into one that means the same to Java. The
/// library runs Oniguruma with Ruby's syntax: `^` and `$` are ends of lines, `x{1,3}+` repeats
/// `x{1,3}`, `(?m)` is about the dot, `\h` is a hexadecimal digit. What Java cannot say is refused
/// by name.
///
/// Source: Oniguruma's `doc/RE`; the classes were compared with the library's over all of Unicode.
final class Oniguruma {
    /// ASCII letters that fold together with one character, as `ss` does with `ß`.
    private static final Set<String> FOLDED_TOGETHER = Set.of("ss", "ff", "fi", "fl", "st");

    private static final String ANY = "(?s:.)";
    private static final String NO_LINE_END = "[^\\n]";

    /// @param ignoreCase `i`
    /// @param dotAll `m`
    /// @param extended `x`: white space and comments mean nothing
    private record Flags(boolean ignoreCase, boolean dotAll, boolean extended) {}

    private final PatternReader in;
    private int lastLetter;

    private Oniguruma(String pattern) {
        in = new PatternReader(pattern);
    }

    /// @return for [java.util.regex.Pattern#UNICODE_CHARACTER_CLASS]
    /// @throws PenjingException if it is malformed, or uses what Java does not know
    static String toJava(String pattern) {
        Oniguruma translation = new Oniguruma(pattern);
        String java = translation.alternatives(new Flags(false, false, false));
        if (!translation.in.atEnd()) {
            throw translation.in.refused("a ) without a (");
        }
        return java;
    }

    private String alternatives(Flags flags) {
        StringBuilder java = new StringBuilder();
        while (!in.atEnd() && in.peek() != ')') {
            if (in.skip('|')) {
                java.append('|');
                lastLetter = 0;
            } else if (flags.extended() && Character.isWhitespace(in.peek())) {
                in.next();
            } else if (flags.extended() && in.skip('#')) {
                while (!in.atEnd() && in.next() != '\n') {
                    // the rest of the line is a comment
                }
            } else {
                java.append(repeated(atom(flags)));
            }
        }
        return java.toString();
    }

    private String repeated(String atom) {
        String java = atom;
        boolean once = true;
        while (!in.atEnd()) {
            String interval = in.interval();
            boolean fixed = !interval.isEmpty() && interval.indexOf(',') < 0;
            if (interval.isEmpty()) {
                if ("*+?".indexOf(in.peek()) < 0) {
                    return java;
                }
                String sign = Character.toString(in.next());
                interval = in.skip('+') ? sign + "+" : sign;
                fixed = interval.length() > 1;
            }
            java = once ? java + interval : "(?:" + java + ")" + interval;
            if (!fixed && in.skip('?')) {
                java += "?";
            }
            once = false;
            lastLetter = 0;
        }
        return java;
    }

    private String atom(Flags flags) {
        int c = in.next();
        int before = lastLetter;
        lastLetter = 0;
        return switch (c) {
            case '(' -> group(flags);
            case '[' -> new CharacterClass(in, flags.ignoreCase()).java();
            case '.' -> flags.dotAll() ? ANY : NO_LINE_END;
            case '^' -> "(?:\\A|(?<=\\n)(?!\\z))";
            case '$' -> "(?=\\n|\\z)";
            case '\\' -> escape(flags);
            default -> {
                lastLetter = before;
                yield literal(c, flags);
            }
        };
    }

    private String literal(int c, Flags flags) {
        if (!flags.ignoreCase()) {
            lastLetter = 0;
            return PatternReader.quoted(c);
        }
        int lower = c < 128 ? Character.toLowerCase(c) : c;
        if (lastLetter != 0
                && FOLDED_TOGETHER.contains(
                        Character.toString(lastLetter) + Character.toString(lower))) {
            throw in.refused("letters that fold together, without regard to case");
        }
        lastLetter = lower;
        String cases = CharacterClass.withCases(in, c, c);
        return cases.equals(PatternReader.quoted(c)) ? cases : "[" + cases + "]";
    }

    private String escape(Flags flags) {
        int c = in.next();
        return switch (c) {
            case 'R' -> "(?>\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])";
            case 'N' -> NO_LINE_END;
            case 'O' -> ANY;
            case 'A' -> "\\A";
            case 'z' -> "\\z";
            case 'Z' -> "(?=\\n?\\z)";
            case 'b' -> boundary("(?<=%1$s)(?!%1$s)|(?<!%1$s)(?=%1$s)");
            case 'B' -> boundary("(?<=%1$s)(?=%1$s)|(?<!%1$s)(?!%1$s)");
            case 'G', 'K', 'X', 'Y', 'y', 'k', 'g', 'C', 'M', 'c' ->
                    throw in.refused("\\" + Character.toString(c));
            default -> {
                if (c >= '1' && c <= '9') {
                    throw in.refused("a reference to a group");
                }
                String set = CharacterClass.escapedSet(in, c, flags.ignoreCase());
                yield set.isEmpty() ? literal(in.escaped(c), flags) : set;
            }
        };
    }

    private static String boundary(String form) {
        return "(?:" + form.formatted("[" + CharacterClass.WORD + "]") + ")";
    }

    /// Behind its `(`. Nothing refers to groups, so none is captured.
    private String group(Flags flags) {
        if (!in.skip('?')) {
            return rest("(?:", flags);
        }
        int kind = in.next();
        return switch (kind) {
            case ':', '=', '!', '>' -> rest("(?" + Character.toString(kind), flags);
            case '#' -> {
                while (in.next() != ')') {
                    // the comment
                }
                yield "";
            }
            case '<' -> {
                if (in.peek() == '=' || in.peek() == '!') {
                    yield rest("(?<" + Character.toString(in.next()), flags);
                }
                while (in.next() != '>') {
                    // the name
                }
                yield rest("(?:", flags);
            }
            default -> options(kind, flags);
        };
    }

    private String options(int first, Flags flags) {
        boolean on = true;
        Flags changed = flags;
        for (int c = first; ; c = in.next()) {
            switch (c) {
                case '-' -> on = false;
                case 'i' -> changed = new Flags(on, changed.dotAll(), changed.extended());
                case 'm' -> changed = new Flags(changed.ignoreCase(), on, changed.extended());
                case 'x' -> changed = new Flags(changed.ignoreCase(), changed.dotAll(), on);
                case ':' -> {
                    return rest("(?:", changed);
                }
                case ')' -> {
                    // for the rest of the group around it, its other alternatives too
                    return "(?:" + alternatives(changed) + ")";
                }
                default -> throw in.refused("(?" + Character.toString(c));
            }
        }
    }

    private String rest(String open, Flags flags) {
        String inside = alternatives(flags);
        if (!in.skip(')')) {
            throw in.refused("a ( without a )");
        }
        lastLetter = 0;
        return open + inside + ")";
    }
}
