package dev.penjing.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Patterns that Java would read in another way. The pieces are those of tokenizers 0.23's `Split`.
class OnigurumaTest {
    private static List<String> pieces(String pattern, String text) {
        return PreTokenizer.pattern(pattern).split(text);
    }

    /// `{1,3}+` is no possessive quantifier: all five digits are a piece.
    @Test
    void anIntervalWithAPlusIsRepeated() {
        assertThat(pieces("\\p{N}{1,3}+|\\s", "x 12345 y"))
                .containsExactly("x", " ", "12345", " ", "y");
        assertThat(pieces("b{2}?", "bbb")).containsExactly("bb", "b");
        assertThat(pieces("a{,2}b", "aaab")).containsExactly("a", "aab");
        assertThat(pieces("a+*", "aab")).containsExactly("aa", "b");
    }

    private static Stream<Arguments> patterns() {
        return Stream.of(
                Arguments.of("^b", "a\nb", List.of("a\n", "b")),
                Arguments.of("a$", "a\nb", List.of("a", "\nb")),
                Arguments.of("\n$", "a\n", List.of("a", "\n")),
                Arguments.of(".+", "a\rb\nc", List.of("a\rb", "\n", "c")),
                Arguments.of("(?m:.)+", "a\nb", List.of("a\nb")),
                Arguments.of("x(?i)A|B", "xab", List.of("xa", "b")),
                Arguments.of("x(?i)A|B", "xxb", List.of("x", "xb")),
                Arguments.of("\\h+", "afg1", List.of("af", "g", "1")),
                Arguments.of("\\v", "a\nb", List.of("a\nb")),
                Arguments.of("\\w+", "a\u00B2\u200D", List.of("a\u00B2", "\u200D")),
                Arguments.of("[[:word:]]+", "a\u00B2", List.of("a", "\u00B2")),
                Arguments.of("\\p{Punct}+", ".$", List.of(".", "$")),
                Arguments.of("[[:punct:]]+", "a.$", List.of("a", ".$")),
                Arguments.of("(?i:k)", "x\u212A", List.of("x", "\u212A")),
                Arguments.of("(?i:[a-z])", "\u0131\u0130", List.of("\u0131\u0130")),
                Arguments.of("[a-c&&[^b]]", "abc", List.of("a", "b", "c")),
                Arguments.of("[]a]", "b]", List.of("b", "]")),
                Arguments.of("(?x: a b # c\n)", "xab", List.of("x", "ab")),
                Arguments.of("\\R", "a\r\nb", List.of("a", "\r\n", "b")),
                Arguments.of("x*", "\uD83D\uDE00a", List.of("\uD83D\uDE00", "a")));
    }

    /// Ends of lines, the dot, options for all alternatives behind them, classes, both cases.
    @ParameterizedTest
    @MethodSource("patterns")
    void patternsMeanWhatTheyMeanToOniguruma(String pattern, String text, List<String> expected) {
        assertThat(pieces(pattern, text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a)\\1",
                "a\\Kb",
                "\\X",
                "(?i:ss)",
                "(?i:\u00e9)",
                "(?i:\\p{Lu})",
                "\\p{Nonsense}",
                "[^a&&b]",
                "(a",
                "a)",
                "[a",
                "a{3,2}",
                "\\xE3",
                "(?~a)"
            })
    void whatJavaCannotSayIsRefused(String pattern) {
        assertThatThrownBy(() -> PreTokenizer.pattern(pattern))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("not understood")
                .hasMessageContaining(pattern);
    }

    @Test
    void aStringIsNoPattern() {
        PreTokenizer dot = PreTokenizer.literal(".", SplitBehavior.ISOLATED, false);
        assertThat(dot.split("a.b")).containsExactly("a", ".", "b");
        PreTokenizer nothing = PreTokenizer.literal("", SplitBehavior.ISOLATED, false);
        assertThat(nothing.split("ab")).containsExactly("ab");
    }
}
