package dev.penjing.sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Has the sets of a program list their members as CPython does: `sets.py` brings the sets, and
/// here the displays and comprehensions (`{a, b}`) of a program's text are turned into them by a
/// call around each. All lines stay where they are.
///
/// What is found in the text is found by its tokens alone. Text that is no Python stays as it is,
/// to fail by itself. The interpreter's own order remains for sets that a program gets otherwise:
/// in an f-string, from text that it evaluates, from the keys of dicts (`a.keys() & b.keys()`); for
/// the arguments in `f(*a_set)`; and in the slots of `{*a_set}`, which are filled one by one here.
final class SetOrder {
    /// What a program calls without knowing: a name in `builtins` which no program has.
    static final String DISPLAY = "penjing_set_display";

    private static final Set<String> CONSTANTS = Set.of("True", "False", "None");
    private static final Set<String> STRING_PREFIXES =
            Set.of("r", "u", "b", "f", "br", "rb", "fr", "rf");

    /// What the word `in` before a token means.
    private enum In {
        NOT,
        COMPARES,
        ITERATES
    }

    /// What stands between brackets, or in the open.
    private static final class Bracket {
        private final char open;
        private final int start;
        private final In in;
        private boolean dict;
        private boolean empty = true;
        private boolean constant = true;
        private boolean comprehension;
        private boolean loop;
        private int lambdas;
        private int commas;

        private Bracket(char open, int start, In in) {
            this.open = open;
            this.start = start;
            this.in = in;
        }
    }

    private record Edit(int at, String text) {}

    /// The program is no Python.
    private static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1;
    }

    private final String text;
    private final List<Edit> edits = new ArrayList<>();
    private final Deque<Bracket> brackets = new ArrayDeque<>();
    private boolean usesSets;
    private In in = In.NOT;

    /// The last token: an operator's character, `a` for a word, `0` for a number or a string.
    private char last = '\n';

    private SetOrder(String text) {
        this.text = text;
        brackets.push(new Bracket('\n', 0, In.NOT));
    }

    /// The program as it is to run, after `sets.py`; empty if it has no sets, and runs as it is.
    static Optional<String> rewrite(String program) {
        var order = new SetOrder(program);
        try {
            order.read();
        } catch (Unreadable e) {
            return Optional.empty();
        }
        return order.usesSets ? Optional.of(order.edited()) : Optional.empty();
    }

    /// What is to run before a program that has sets. It leaves nothing in the globals.
    static String prelude() {
        try (InputStream in = SetOrder.class.getResourceAsStream("sets.py")) {
            if (in == null) {
                throw new IllegalStateException("sets.py is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .replace("\"DISPLAY\"", '"' + DISPLAY + '"');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String edited() {
        edits.sort(Comparator.comparingInt(Edit::at));
        var edited = new StringBuilder(text.length() + 64);
        int from = 0;
        for (Edit edit : edits) {
            edited.append(text, from, edit.at()).append(edit.text());
            from = edit.at();
        }
        return edited.append(text, from, text.length()).toString();
    }

    private void read() throws Unreadable {
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '#') {
                at = endOfLine(at);
            } else if (c == '\n') {
                if (brackets.size() == 1) {
                    brackets.peek().loop = false;
                    last = c;
                }
                at++;
            } else if (c == '\\' || Character.isWhitespace(c)) {
                at++;
            } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
                at = word(at);
            } else if (c == '"' || c == '\'') {
                at = string(at, false);
            } else if (c >= '0' && c <= '9') {
                at = number(at);
            } else {
                at = operator(at, c);
            }
        }
        if (brackets.size() > 1) {
            throw new Unreadable();
        }
    }

    private int endOfLine(int at) {
        int end = text.indexOf('\n', at);
        return end < 0 ? text.length() : end;
    }

    private int word(int at) throws Unreadable {
        int end = at + 1;
        while (end < text.length() && isWordPart(text.charAt(end))) {
            end++;
        }
        String word = text.substring(at, end);
        if (end < text.length()
                && (text.charAt(end) == '"' || text.charAt(end) == '\'')
                && STRING_PREFIXES.contains(word.toLowerCase(Locale.ROOT))) {
            return string(end, word.toLowerCase(Locale.ROOT).contains("f"));
        }
        Bracket bracket = brackets.peek();
        In next = In.NOT;
        switch (word) {
            case "for" -> {
                bracket.loop = true;
                bracket.comprehension = true;
            }
            case "in" -> {
                next = bracket.loop ? In.ITERATES : In.COMPARES;
                bracket.loop = false;
            }
            case "lambda" -> bracket.lambdas++;
            case "set", "frozenset" -> usesSets = true;
            default -> {}
        }
        token('a', CONSTANTS.contains(word));
        in = next;
        return end;
    }

    private static boolean isWordPart(char c) {
        return Character.isUnicodeIdentifierPart(c) || c == '_';
    }

    private int number(int at) {
        int end = at;
        while (end < text.length() && (isWordPart(text.charAt(end)) || text.charAt(end) == '.')) {
            end++;
        }
        token('0', true);
        return end;
    }

    private int string(int at, boolean formatted) throws Unreadable {
        char quote = text.charAt(at);
        boolean triple = text.startsWith(("" + quote).repeat(3), at);
        int i = at + (triple ? 3 : 1);
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == quote && !triple) {
                break;
            } else if (c == quote && text.startsWith(("" + quote).repeat(3), i)) {
                i += 2;
                break;
            } else if (c == '\n' && !triple) {
                throw new Unreadable();
            }
            i++;
        }
        if (i >= text.length()) {
            throw new Unreadable();
        }
        if (formatted && text.substring(at, i).contains("set(")) {
            usesSets = true;
        }
        token('0', !formatted);
        return i + 1;
    }

    private int operator(int at, char c) throws Unreadable {
        Bracket bracket = brackets.peek();
        switch (c) {
            case '(', '[', '{' -> {
                In before = in;
                token(c, c == '(');
                brackets.push(new Bracket(c, at, before));
            }
            case ')', ']', '}' -> {
                if (brackets.size() == 1
                        || bracket.open != (c == ')' ? '(' : c == ']' ? '[' : '{')) {
                    throw new Unreadable();
                }
                brackets.pop();
                if (c == '}' && !bracket.dict && !bracket.empty) {
                    set(bracket, at + 1);
                }
                token(c, bracket.constant && c == ')');
            }
            case ':' -> {
                boolean names = text.startsWith(":=", at);
                if (bracket.lambdas > 0) {
                    bracket.lambdas--;
                } else if (!names) {
                    bracket.dict = true;
                }
                token(c, false);
            }
            case ',' -> {
                bracket.commas++;
                token(c, true);
            }
            case '*' -> {
                boolean unpacks = last == bracket.open || last == ',';
                boolean twice = text.startsWith("**", at);
                bracket.dict |= unpacks && twice;
                token(c, !unpacks);
                return twice ? at + 2 : at + 1;
            }
            default -> token(c, "+-/%@&|^~<>.".indexOf(c) >= 0);
        }
        return at + 1;
    }

    private void token(char kind, boolean constant) {
        Bracket bracket = brackets.peek();
        bracket.empty = false;
        bracket.constant &= constant;
        last = kind;
        in = In.NOT;
    }

    private void set(Bracket set, int end) {
        int next = end;
        while (next < text.length() && text.charAt(next) == ' ') {
            next++;
        }
        boolean alone = next == text.length() || "|&-^.".indexOf(text.charAt(next)) < 0;
        if (set.in == In.COMPARES && alone) {
            // nobody sees its order
            return;
        }
        usesSets = true;
        int members = set.commas + (last == ',' ? 0 : 1);
        String constants = "";
        if (set.constant && !set.comprehension) {
            constants =
                    set.in == In.ITERATES && alone
                            ? ", 'looped'"
                            : members >= 3 ? ", 'merged'" : "";
        }
        boolean afterWord = set.start > 0 && isWordPart(text.charAt(set.start - 1));
        edits.add(new Edit(set.start, (afterWord ? " " : "") + DISPLAY + "("));
        edits.add(new Edit(end, constants + ")"));
    }
}
