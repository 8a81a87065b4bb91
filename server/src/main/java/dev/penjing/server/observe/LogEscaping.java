package dev.penjing.server.observe;

import java.util.regex.Pattern;

/// Text from outside, made harmless for a line of a log: printable ASCII, no end of line, no field
/// of its own.
final class LogEscaping {
    private static final int LONGEST = 512;
    private static final Pattern BARE = Pattern.compile("[A-Za-z0-9._:/@+-]{1,512}");

    private LogEscaping() {}

    /// As it is if it is one harmless word, else in quotes.
    static String word(String text) {
        return BARE.matcher(text).matches() ? text : '"' + escaped(text, true) + '"';
    }

    /// Printable ASCII on one line; quotes stay.
    static String line(String text) {
        return escaped(text, false);
    }

    /// Not much longer than `LONGEST`.
    static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
    }

    private static String escaped(String text, boolean quotes) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                out.append("\\n");
            } else if (c < ' ' || c > '~') {
                out.append("\\u%04x".formatted((int) c));
            } else {
                if (c == '\\' || (quotes && c == '"')) {
                    out.append('\\');
                }
                out.append(c);
            }
        }
        return out.toString();
    }
}
