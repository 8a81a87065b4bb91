package dev.penjing.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Tokens that are recognised as they stand in the text, before anything else is done to it.
final class AddedTokens {
    /// @param strip white space before (`lstrip`) and behind (`rstrip`) that the token swallows
    record Token(String content, int id, boolean special, boolean lstrip, boolean rstrip) {}

    private final List<Token> all;
    private final Map<Character, List<Token>> byFirst = new HashMap<>();
    private final Map<Integer, Token> byId = new HashMap<>();

    AddedTokens(List<Token> tokens) {
        this.all = List.copyOf(tokens);
        for (Token token : tokens) {
            byId.put(token.id(), token);
            if (!token.content().isEmpty()) {
                byFirst.computeIfAbsent(token.content().charAt(0), c -> new ArrayList<>())
                        .add(token);
            }
        }
        byFirst.values()
                .forEach(list ->
                        list.sort(Comparator.comparingInt((Token t) -> -t.content().length())));
    }

    List<Token> all() {
        return all;
    }

    Optional<Token> byId(int id) {
        return Optional.ofNullable(byId.get(id));
    }

    /// Takes the text apart: what lies between added tokens, and these.
    interface Sink {
        void text(String text);

        void token(Token token);
    }

    void split(String text, Sink sink) {
        int start = 0;
        int at = 0;
        while (at < text.length()) {
            Token token = at(text, at);
            if (token == null) {
                at++;
                continue;
            }
            int end = at + token.content().length();
            int from = at;
            if (token.lstrip()) {
                while (from > start && isSpace(text.charAt(from - 1))) {
                    from--;
                }
            }
            if (token.rstrip()) {
                while (end < text.length() && isSpace(text.charAt(end))) {
                    end++;
                }
            }
            if (from > start) {
                sink.text(text.substring(start, from));
            }
            sink.token(token);
            start = end;
            at = end;
        }
        if (start < text.length()) {
            sink.text(start == 0 ? text : text.substring(start));
        }
    }

    private @Nullable Token at(String text, int at) {
        List<Token> candidates = byFirst.get(text.charAt(at));
        if (candidates != null) {
            for (Token token : candidates) {
                if (text.startsWith(token.content(), at)) {
                    return token;
                }
            }
        }
        return null;
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }
}
