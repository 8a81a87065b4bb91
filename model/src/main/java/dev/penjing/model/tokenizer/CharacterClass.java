package dev.penjing.model.tokenizer;

import java.lang.Character.UnicodeScript;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// A character class in Oniguruma's syntax as Java has it: what stands between `[` and `]`, and
/// what escapes and properties stand for.
final class CharacterClass {
    /// What `[[:word:]]` is.
    private static final String POSIX_WORD = "\\p{IsAlphabetic}\\p{M}\\p{Nd}\\p{Pc}";

    /// `\w` has the six numbers of Latin-1, too.
    static final String WORD = POSIX_WORD + "\u00B2\u00B3\u00B9\u00BC\u00BD\u00BE";

    private static final Map<String, String> POSIX =
            Map.ofEntries(
                    Map.entry("alnum", "\\p{IsAlphabetic}\\p{Nd}"),
                    Map.entry("alpha", "\\p{IsAlphabetic}"),
                    Map.entry("ascii", "\\x{0}-\\x{7f}"),
                    Map.entry("blank", "\\p{Zs}\\t"),
                    Map.entry("cntrl", "\\p{Cc}"),
                    Map.entry("digit", "\\p{Nd}"),
                    Map.entry("graph", "[^\\p{IsWhite_Space}\\p{Cc}\\p{Cn}\\p{Cs}]"),
                    Map.entry("lower", "\\p{IsLowercase}"),
                    Map.entry("print", "[^\\p{IsWhite_Space}\\p{Cc}\\p{Cn}\\p{Cs}]\\p{Zs}"),
                    Map.entry("punct", "\\p{P}\\p{S}"),
                    Map.entry("space", "\\p{IsWhite_Space}"),
                    Map.entry("upper", "\\p{IsUppercase}"),
                    Map.entry("word", POSIX_WORD),
                    Map.entry("xdigit", "0-9A-Fa-f"));

    private static final Set<String> CATEGORIES =
            Set.of(
                    "c", "cc", "cf", "cn", "co", "l", "ll", "lm", "lo", "lt", "lu", "m", "mc", "me",
                    "mn", "n", "nd", "nl", "no", "p", "pc", "pd", "pe", "pf", "pi", "po", "ps", "s",
                    "sc", "sk", "sm", "so", "z", "zl", "zp", "zs");

    /// Sets that hold both cases of a letter, or none: they are the same without regard to case.
    private static final Set<String> WITHOUT_CASE =
            Set.of("l", "n", "nd", "p", "z", "space", "digit", "alpha", "han", "whitespace");

    private final PatternReader in;
    private final boolean ignoreCase;

    CharacterClass(PatternReader in, boolean ignoreCase) {
        this.in = in;
        this.ignoreCase = ignoreCase;
    }

    /// Behind its `[`, up to and with its `]`.
    String java() {
        boolean negated = in.skip('^');
        StringBuilder intersection = new StringBuilder();
        StringBuilder part = new StringBuilder();
        for (boolean first = true; first || in.peek() != ']'; first = false) {
            if (in.sees("&&")) {
                in.until("&&");
                intersection.append('[').append(part).append("]&&");
                part.setLength(0);
            } else {
                part.append(item());
            }
        }
        in.next();
        if (intersection.isEmpty()) {
            return (negated ? "[^" : "[") + part + "]";
        }
        if (negated) {
            throw in.refused("a negated intersection");
        }
        return "[" + intersection + "[" + part + "]]";
    }

    private String item() {
        int c = in.next();
        if (c == '[') {
            if (in.skip(':')) {
                boolean negated = in.skip('^');
                return posix(in.until(":]"), negated);
            }
            return java();
        }
        if (c == '\\') {
            int escape = in.next();
            String set = escapedSet(in, escape, ignoreCase);
            if (!set.isEmpty()) {
                return set;
            }
            c = escape == 'b' ? '\b' : in.escaped(escape);
        }
        if (in.peek() != '-' || in.sees("-]") || in.sees("-[")) {
            return ignoreCase ? withCases(in, c, c) : PatternReader.quoted(c);
        }
        in.next();
        int to = in.next();
        if (to == '\\') {
            int escape = in.next();
            if (!escapedSet(in, escape, ignoreCase).isEmpty()) {
                throw in.refused("a range to a set");
            }
            to = in.escaped(escape);
        }
        if (to < c) {
            throw in.refused("an empty range");
        }
        return ignoreCase
                ? withCases(in, c, to)
                : PatternReader.quoted(c) + "-" + PatternReader.quoted(to);
    }

    /// The characters of a range in both cases, for a class.
    static String withCases(PatternReader in, int from, int to) {
        if (to > 127 && (from != to || Character.isLetter(to))) {
            throw in.refused("letters beyond ASCII, without regard to case");
        }
        StringBuilder java = new StringBuilder(PatternReader.quoted(from));
        if (to > from) {
            java.append('-').append(PatternReader.quoted(to));
        }
        for (int c = from; c <= Math.min(to, 127); c++) {
            if (Character.isLetter(c)) {
                java.append(Character.toString(c ^ 0x20));
                int lower = c | 0x20;
                // the long s and the sign for Kelvin
                java.append(lower == 's' ? "\\x{17f}" : lower == 'k' ? "\\x{212a}" : "");
            }
        }
        return java.toString();
    }

    /// The set that `\` and `c` stand for; nothing if it is a character.
    static String escapedSet(PatternReader in, int c, boolean ignoreCase) {
        return switch (c) {
            case 'd', 's', 'D', 'S' -> "\\" + Character.toString(c);
            case 'w' -> "[" + WORD + "]";
            case 'W' -> "[^" + WORD + "]";
            case 'h' -> "[0-9A-Fa-f]";
            case 'H' -> "[^0-9A-Fa-f]";
            case 'p', 'P' -> {
                if (!in.skip('{')) {
                    throw in.refused("\\p without a {");
                }
                boolean negated = in.skip('^') ^ c == 'P';
                yield property(in, in.until("}"), negated, ignoreCase);
            }
            default -> "";
        };
    }

    private String posix(String name, boolean negated) {
        String set = POSIX.get(name);
        if (set == null || ignoreCase && !WITHOUT_CASE.contains(name)) {
            throw in.refused("[:" + name + ":]");
        }
        return (negated ? "[^" : "[") + set + "]";
    }

    private static String property(
            PatternReader in, String name, boolean negated, boolean ignoreCase) {
        String plain = name.toLowerCase(Locale.ROOT).replaceAll("[ _-]", "");
        if (ignoreCase && !WITHOUT_CASE.contains(plain)) {
            throw in.refused("\\p{" + name + "} without regard to case");
        }
        if (CATEGORIES.contains(plain)) {
            String category = Character.toUpperCase(plain.charAt(0)) + plain.substring(1);
            return (negated ? "\\P{" : "\\p{") + category + "}";
        }
        String set =
                switch (plain) {
                    case "word" -> WORD;
                    case "punct" -> "\\p{P}"; // not what [[:punct:]] is
                    case "alphabetic" -> "\\p{IsAlphabetic}";
                    case "uppercase" -> "\\p{IsUppercase}";
                    case "lowercase" -> "\\p{IsLowercase}";
                    case "whitespace" -> "\\p{IsWhite_Space}";
                    case "any" -> "\\x{0}-\\x{10ffff}";
                    default -> POSIX.containsKey(plain) ? POSIX.get(plain) : script(in, name);
                };
        return (negated ? "[^" : "[") + set + "]";
    }

    private static String script(PatternReader in, String name) {
        try {
            return "\\p{Is" + UnicodeScript.forName(name).name() + "}";
        } catch (IllegalArgumentException e) {
            throw in.refused("\\p{" + name + "}");
        }
    }
}
