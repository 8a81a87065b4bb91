package dev.penjing.model.template;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Cuts a template into text and the tokens of its tags, with `trim_blocks` and `lstrip_blocks`.
final class Lexer {
    enum Kind {
        TEXT,
        BLOCK_START,
        BLOCK_END,
        OUTPUT_START,
        OUTPUT_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    record Token(Kind kind, String text, int line) {}

    private static final Pattern TOKEN =
            Pattern.compile(
                    "\\s+"
                            + "|(?<float>\\d+(?:_\\d+)*(?:\\.\\d+(?:_\\d+)*(?:[eE][+-]?\\d+)?|[eE][+-]?\\d+))"
                            + "|(?<integer>\\d+(?:_\\d+)*)"
                            + "|(?<name>[\\p{L}_][\\p{L}\\p{N}_]*)"
                            + "|(?<operator>//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,;])");
    private static final Pattern RAW =
            Pattern.compile(
                    "\\G\\{%[-+]?\\s*raw\\s*(-?)%\\}(.*?)\\{%(-?)[+]?\\s*endraw\\s*([-+]?)%\\}",
                    Pattern.DOTALL);

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;

    /// Whether white space at the start of the next text goes.
    private boolean stripNext;

    /// Whether a line break at the start of the next text goes.
    private boolean trimNext;

    private Lexer(String source) {
        String unix = source.replace("\r\n", "\n").replace('\r', '\n');
        this.source = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
    }

    static List<Token> tokens(String source) {
        Lexer lexer = new Lexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int tag = nextTag();
            String text = source.substring(at, tag);
            int after = at + text.length();
            char kind = tag < source.length() ? source.charAt(tag + 1) : ' ';
            char mark = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            text(text, tag < source.length(), kind, mark);
            at = after;
            if (tag == source.length()) {
                break;
            }
            Matcher raw = RAW.matcher(source).region(tag, source.length());
            if (kind == '#') {
                comment();
            } else if (kind == '%' && raw.lookingAt()) {
                raw(raw);
            } else {
                tag(kind);
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int i = at; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    private void text(String whole, boolean beforeTag, char kind, char mark) {
        String text = whole;
        boolean lineStart = at == 0 || source.charAt(at - 1) == '\n';
        if (stripNext) {
            text = text.stripLeading();
        } else if (trimNext && text.startsWith("\n")) {
            text = text.substring(1);
            lineStart = true;
        }
        if (beforeTag && mark == '-') {
            text = text.stripTrailing();
        } else if (beforeTag && kind != '{' && mark != '+') {
            int newline = text.lastIndexOf('\n');
            boolean blank = text.substring(newline + 1).isBlank();
            if (blank && (newline >= 0 || lineStart)) {
                text = text.substring(0, newline + 1);
            }
        }
        stripNext = false;
        trimNext = false;
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.TEXT, text, line));
        }
        count(whole);
    }

    private void count(String text) {
        line += (int) text.chars().filter(c -> c == '\n').count();
    }

    private void comment() {
        int end = source.indexOf("#}", at + 2);
        if (end < 0) {
            throw new TemplateException("a comment does not end").at(line);
        }
        count(source.substring(at, end));
        stripNext = end > at + 2 && source.charAt(end - 1) == '-';
        trimNext = source.charAt(end - 1) != '+';
        at = end + 2;
    }

    private void raw(Matcher raw) {
        String text = raw.group(2);
        if (raw.group(1).equals("-")) {
            text = text.stripLeading();
        } else if (text.startsWith("\n")) {
            text = text.substring(1);
        }
        if (raw.group(3).equals("-")) {
            text = text.stripTrailing();
        } else {
            int newline = text.lastIndexOf('\n');
            if (text.substring(newline + 1).isBlank()) {
                text = text.substring(0, newline + 1);
            }
        }
        tokens.add(new Token(Kind.TEXT, text, line));
        count(raw.group());
        stripNext = raw.group(4).equals("-");
        trimNext = raw.group(4).isEmpty();
        at = raw.end();
    }

    private void tag(char kind) {
        boolean block = kind == '%';
        add(block ? Kind.BLOCK_START : Kind.OUTPUT_START, "");
        at += 2;
        if (at < source.length()
                && (source.charAt(at) == '-' || block && source.charAt(at) == '+')) {
            at++;
        }
        String end = block ? "%}" : "}}";
        int open = 0;
        while (true) {
            skipBlanks();
            if (at >= source.length()) {
                throw new TemplateException("a tag does not end with " + end).at(line);
            }
            if (open == 0) {
                if (source.startsWith(end, at)) {
                    at += 2;
                    trimNext = block;
                    break;
                }
                if (source.startsWith("-" + end, at)) {
                    at += 3;
                    stripNext = true;
                    break;
                }
                if (block && source.startsWith("+" + end, at)) {
                    at += 3;
                    break;
                }
            }
            open += token();
        }
        add(block ? Kind.BLOCK_END : Kind.OUTPUT_END, "");
    }

    private void skipBlanks() {
        while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
            line += source.charAt(at) == '\n' ? 1 : 0;
            at++;
        }
    }

    /// Reads a token; returns how many brackets it opens.
    private int token() {
        char c = source.charAt(at);
        if (c == '"' || c == '\'') {
            string(c);
            return 0;
        }
        Matcher m = TOKEN.matcher(source).region(at, source.length());
        if (!m.lookingAt()) {
            throw new TemplateException("unexpected character '" + c + "'").at(line);
        }
        String text = m.group();
        at = m.end();
        if (m.group("float") != null) {
            add(Kind.FLOAT, text.replace("_", ""));
        } else if (m.group("integer") != null) {
            add(Kind.INTEGER, text.replace("_", ""));
        } else if (m.group("name") != null) {
            add(Kind.NAME, text);
        } else {
            add(Kind.OPERATOR, text);
            return "([{".contains(text) ? 1 : ")]}".contains(text) ? -1 : 0;
        }
        return 0;
    }

    private void string(char quote) {
        StringBuilder text = new StringBuilder();
        int start = line;
        for (int i = at + 1; i < source.length(); i++) {
            char c = source.charAt(i);
            if (c == quote) {
                at = i + 1;
                tokens.add(new Token(Kind.STRING, text.toString(), start));
                return;
            }
            line += c == '\n' ? 1 : 0;
            if (c == '\\' && i + 1 < source.length()) {
                i = escape(i + 1, text);
            } else {
                text.append(c);
            }
        }
        throw new TemplateException("a text does not end").at(start);
    }

    /// Python's escapes; returns the index of the last character read.
    private int escape(int i, StringBuilder text) {
        char c = source.charAt(i);
        switch (c) {
            case 'n' -> text.append('\n');
            case 't' -> text.append('\t');
            case 'r' -> text.append('\r');
            case 'b' -> text.append('\b');
            case 'f' -> text.append('\f');
            case 'a' -> text.append('\007');
            case 'v' -> text.append('\013');
            case '\\', '\'', '"' -> text.append(c);
            case '\n' -> line++;
            case 'x' -> {
                return hex(i, 2, text);
            }
            case 'u' -> {
                return hex(i, 4, text);
            }
            case 'U' -> {
                return hex(i, 8, text);
            }
            default -> text.append('\\').append(c);
        }
        return i;
    }

    private int hex(int i, int digits, StringBuilder text) {
        String code = source.substring(i + 1, Math.min(source.length(), i + 1 + digits));
        if (!code.matches("[0-9a-fA-F]{" + digits + "}")
                || !Character.isValidCodePoint(Integer.parseUnsignedInt(code, 16))) {
            throw new TemplateException("a malformed escape in a text").at(line);
        }
        text.appendCodePoint(Integer.parseUnsignedInt(code, 16));
        return i + digits;
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }
}
