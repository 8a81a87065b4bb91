package dev.penjing.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Tokens that are recognised as they stand in the text, before it is cut into pieces: some in the
/// text as it is given, some in what the normalizer makes of it. Of several at one place it is the
/// longest (tokenizers' `AddedVocabulary`).
final class AddedTokens {
    /// @param normalized whether it is looked for in normalised text, itself normalised
    /// @param lstrip whether white space before the token goes with it
    /// @param rstrip whether white space behind it does
    record Token(
            String content,
            int id,
            boolean special,
            boolean normalized,
            boolean lstrip,
            boolean rstrip) {}

    /// Takes a text apart: what lies between added tokens, and these.
    interface Sink {
        /// @param first whether it begins the text
        void text(String text, boolean first);

        void token(Token token);
    }

    /// A token and how it is written in the text that is searched.
    private record Written(String text, Token token) {}

    private final List<Token> all;
    private final Map<Integer, Token> byId = new HashMap<>();
    private final Map<Character, List<Written>> given = new HashMap<>();
    private final Map<Character, List<Written>> normalized = new HashMap<>();

    AddedTokens(List<Token> tokens, UnaryOperator<String> normalizer) {
        this.all = List.copyOf(tokens);
        for (Token token : tokens) {
            byId.put(token.id(), token);
            String text = token.normalized() ? normalizer.apply(token.content()) : token.content();
            if (!text.isEmpty()) {
                (token.normalized() ? normalized : given)
                        .computeIfAbsent(text.charAt(0), c -> new ArrayList<>())
                        .add(new Written(text, token));
            }
        }
        for (Map<Character, List<Written>> places : List.of(given, normalized)) {
            places.values()
                    .forEach(list ->
                            list.sort(Comparator.comparingInt((Written w) -> -w.text().length())));
        }
    }

    List<Token> all() {
        return all;
    }

    Optional<Token> byId(int id) {
        return Optional.ofNullable(byId.get(id));
    }

    /// By the tokens of a text as it is given.
    void split(String text, Sink sink) {
        split(given, text, sink);
    }

    /// By those of normalised text.
    void splitNormalized(String text, Sink sink) {
        split(normalized, text, sink);
    }

    private static void split(Map<Character, List<Written>> places, String text, Sink sink) {
        int start = 0;
        int at = 0;
        while (at < text.length() && !places.isEmpty()) {
            Written found = at(places, text, at);
            if (found == null) {
                at++;
                continue;
            }
            Token token = found.token();
            int end = at + found.text().length();
            int from = at;
            if (token.lstrip()) {
                while (from > start && isSpace(text.charAt(from - 1))) {
                    from--;
                }
                from = Math.max(from, start);
            }
            if (token.rstrip()) {
                while (end < text.length() && isSpace(text.charAt(end))) {
                    end++;
                }
            }
            if (from > start) {
                sink.text(text.substring(start, from), start == 0);
            }
            // a token may begin in the white space that went with the one before; nothing is left
            // of one that takes white space on its left, too
            if (from < end) {
                sink.token(token);
            }
            start = end;
            at += found.text().length();
        }
        if (start < text.length()) {
            sink.text(start == 0 ? text : text.substring(start), start == 0);
        }
    }

    private static @Nullable Written at(Map<Character, List<Written>> places, String text, int at) {
        List<Written> candidates = places.get(text.charAt(at));
        if (candidates != null) {
            for (Written candidate : candidates) {
                if (text.startsWith(candidate.text(), at)) {
                    return candidate;
                }
            }
        }
        return null;
    }

    /// Unicode's White_Space, as Rust has it; Java's own notion counts U+001C to U+001F too, and
    /// U+0085 not.
    private static boolean isSpace(char c) {
        return c >= '\t' && c <= '\r' || c == '\u0085' || Character.isSpaceChar(c);
    }
}
