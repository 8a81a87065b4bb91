package dev.penjing.evaluation.python;

import java.util.Locale;

/// Strings as Python treats them, where Java differs: the benchmarks' definitions are Python code.
public final class PythonText {
    private PythonText() {}

    /// `str.isspace` of one character.
    static boolean isSpace(int c) {
        return switch (c) {
            case '\t', '\n', 0x0b, '\f', '\r', 0x1c, 0x1d, 0x1e, 0x1f, ' ', 0x85, 0xa0, 0x1680 ->
                    true;
            case 0x2028, 0x2029, 0x202f, 0x205f, 0x3000 -> true;
            default -> c >= 0x2000 && c <= 0x200a;
        };
    }

    /// `str.strip`
    public static String strip(String text) {
        int from = 0;
        String right = stripTrailing(text);
        while (from < right.length() && isSpace(right.charAt(from))) {
            from++;
        }
        return right.substring(from);
    }

    /// `str.rstrip`
    public static String stripTrailing(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /// `str.capitalize`: the first character as in titles, all others lower.
    public static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int end = text.offsetByCodePoints(0, 1);
        String first = text.substring(0, end);
        String upper = first.toUpperCase(Locale.ROOT);
        // one that becomes several (\u00df): only the first of them is large
        String title =
                length(upper) == 1
                        ? Character.toString(Character.toTitleCase(text.codePointAt(0)))
                        : upper.substring(0, 1) + upper.substring(1).toLowerCase(Locale.ROOT);
        String lower = text.toLowerCase(Locale.ROOT);
        return title + lower.substring(first.toLowerCase(Locale.ROOT).length());
    }

    /// `len`
    public static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
