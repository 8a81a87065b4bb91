package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Cuts a text into the pieces that merges do not cross.
@FunctionalInterface
interface PreTokenizer {
    /// @param first whether the text is a tokenizer's input from its beginning on, rather than what
    ///   follows an added token
    List<String> split(String text, boolean first);

    default List<String> split(String text) {
        return split(text, true);
    }

    /// GPT-2's pattern (Radford et al. 2019), which the byte-level component uses by itself.
    String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    String LLAMA3 =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                    + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    String QWEN2 =
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                    + " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    String TEKKEN =
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|"
                    + "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|"
                    + "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    PreTokenizer WHOLE = (text, first) -> text.isEmpty() ? List.of() : List.of(text);

    /// Every match of a pattern in Oniguruma's syntax a piece, and what lies between two matches
    /// too (`behavior: Isolated`).
    static PreTokenizer pattern(String regex) {
        return pattern(regex, SplitBehavior.ISOLATED, false);
    }

    /// @param invert whether what lies between two matches is taken for the match
    static PreTokenizer pattern(String regex, SplitBehavior behavior, boolean invert) {
        String java = Oniguruma.toJava(regex);
        try {
            Pattern pattern = Pattern.compile(java, Pattern.UNICODE_CHARACTER_CLASS);
            return matches(pattern, behavior, invert);
        } catch (PatternSyntaxException e) {
            throw new PenjingException(
                    "the tokenizer splits by a pattern that is not understood: " + regex, e);
        }
    }

    /// By every occurrence of `text`.
    static PreTokenizer literal(String text, SplitBehavior behavior, boolean invert) {
        return text.isEmpty()
                ? WHOLE
                : matches(Pattern.compile(text, Pattern.LITERAL), behavior, invert);
    }

    /// Punctuation, ASCII's symbols with it.
    static PreTokenizer punctuation(SplitBehavior behavior) {
        return matches(Pattern.compile("[\\p{P}$+<=>^`|~]"), behavior, false);
    }

    /// Words and what is neither word nor white space, which goes. By the classes of Rust's regex,
    /// which are Java's.
    PreTokenizer WHITESPACE =
            matches(
                    Pattern.compile("\\w+|[^\\w\\s]+", Pattern.UNICODE_CHARACTER_CLASS),
                    SplitBehavior.REMOVED,
                    true);

    /// What lies between white space.
    PreTokenizer WHITESPACE_SPLIT =
            matches(Pattern.compile("\\p{IsWhite_Space}"), SplitBehavior.REMOVED, false);

    private static PreTokenizer matches(Pattern pattern, SplitBehavior behavior, boolean invert) {
        if (behavior == SplitBehavior.ISOLATED) {
            return isolated(pattern); // the usual one, in one go
        }
        return (text, first) -> {
            List<SplitBehavior.Part> parts = new ArrayList<>();
            Matcher matcher = pattern.matcher(text);
            int end = 0;
            for (boolean found = matcher.find(); found; found = next(matcher, text)) {
                if (matcher.start() > end) {
                    parts.add(new SplitBehavior.Part(end, matcher.start(), invert));
                }
                parts.add(new SplitBehavior.Part(matcher.start(), matcher.end(), !invert));
                end = matcher.end();
            }
            if (end < text.length()) {
                parts.add(new SplitBehavior.Part(end, text.length(), invert));
            }
            return behavior.pieces(text, parts);
        };
    }

    private static PreTokenizer isolated(Pattern pattern) {
        return (text, first) -> {
            List<String> pieces = new ArrayList<>();
            Matcher matcher = pattern.matcher(text);
            int end = 0;
            for (boolean found = matcher.find(); found; found = next(matcher, text)) {
                if (matcher.start() > end) {
                    pieces.add(text.substring(end, matcher.start()));
                }
                if (matcher.end() > matcher.start()) {
                    pieces.add(text.substring(matcher.start(), matcher.end()));
                }
                end = matcher.end();
            }
            if (end < text.length()) {
                pieces.add(text.substring(end));
            }
            return pieces;
        };
    }

    /// Behind a match of nothing the search goes on a character later, which may be two `char`s.
    private static boolean next(Matcher matcher, String text) {
        int end = matcher.end();
        boolean inPair =
                end == matcher.start()
                        && end + 1 < text.length()
                        && Character.isSurrogatePair(text.charAt(end), text.charAt(end + 1));
        return inPair ? matcher.find(end + 2) : matcher.find();
    }

    /// Digits apart from the rest: one by one, or run by run.
    static PreTokenizer digits(boolean individual) {
        return pattern(individual ? "\\p{N}" : "\\p{N}+");
    }

    static PreTokenizer sequence(List<PreTokenizer> parts) {
        return (text, first) -> {
            List<String> pieces = List.of(text);
            for (PreTokenizer part : parts) {
                List<String> finer = new ArrayList<>();
                for (int i = 0; i < pieces.size(); i++) {
                    finer.addAll(part.split(pieces.get(i), first && i == 0));
                }
                pieces = finer;
            }
            return pieces;
        };
    }
}
