package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A pattern in Oniguruma's syntax, character by character.
final class PatternReader {
    private static final Pattern INTERVAL = Pattern.compile("\\{(\\d{0,5})(,?)(\\d{0,5})\\}");

    private final String pattern;
    private int at;

    PatternReader(String pattern) {
        this.pattern = pattern;
    }

    boolean atEnd() {
        return at == pattern.length();
    }

    /// The next character, which stays the next; nothing but 0 at the end.
    int peek() {
        return atEnd() ? 0 : pattern.codePointAt(at);
    }

    boolean sees(String text) {
        return pattern.startsWith(text, at);
    }

    int next() {
        if (atEnd()) {
            throw refused("an end where more should be");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    boolean skip(char c) {
        boolean here = !atEnd() && pattern.charAt(at) == c;
        at += here ? 1 : 0;
        return here;
    }

    /// What stands before `end`, which is passed over.
    String until(String end) {
        int to = pattern.indexOf(end, at);
        if (to < 0) {
            throw refused("no " + end);
        }
        String text = pattern.substring(at, to);
        at = to + end.length();
        return text;
    }

    /// `{n}`, `{n,}`, `{n,m}` or `{,m}` as Java writes it; nothing if what follows is none, and so
    /// a brace.
    String interval() {
        Matcher matcher = INTERVAL.matcher(pattern).region(at, pattern.length());
        if (!matcher.lookingAt() || (matcher.group(1) + matcher.group(3)).isEmpty()) {
            return "";
        }
        String low = matcher.group(1);
        String high = matcher.group(3);
        if (matcher.group(2).isEmpty() && (low.isEmpty() || !high.isEmpty())) {
            return "";
        }
        at = matcher.end();
        if (!low.isEmpty() && !high.isEmpty() && Integer.parseInt(low) > Integer.parseInt(high)) {
            throw refused(matcher.group());
        }
        return "{" + (low.isEmpty() ? "0" : low) + matcher.group(2) + high + "}";
    }

    /// The character that `\` and `c` stand for, in a class or outside.
    int escaped(int c) {
        return switch (c) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'v' -> 0x0B;
            case 'a' -> 0x07;
            case 'e' -> 0x1B;
            case '0' -> digits(8, 0, 2);
            case 'u' -> digits(16, 4, 4);
            case 'x' -> {
                if (skip('{')) {
                    int value = digits(16, 1, 8);
                    if (!skip('}')) {
                        throw refused("\\x{ without a }");
                    }
                    yield value;
                }
                int value = digits(16, 0, 2);
                if (value > 0x7F) {
                    throw refused("\\x, a byte that is no character");
                }
                yield value;
            }
            default -> c;
        };
    }

    private int digits(int radix, int least, int most) {
        int value = 0;
        int count = 0;
        for (; count < most && Character.digit(peek(), radix) >= 0; count++) {
            value = value * radix + Character.digit(next(), radix);
        }
        if (count < least || !Character.isValidCodePoint(value)) {
            throw refused("an escape that is no character");
        }
        return value;
    }

    /// As Java takes for this character anywhere.
    static String quoted(int c) {
        boolean plain = c < 128 && Character.isLetterOrDigit(c);
        return plain ? Character.toString(c) : "\\x{%x}".formatted(c);
    }

    PenjingException refused(String what) {
        return new PenjingException(
                "the tokenizer splits by a pattern with %s at %d, which is not understood: %s"
                        .formatted(what, at, pattern));
    }
}
