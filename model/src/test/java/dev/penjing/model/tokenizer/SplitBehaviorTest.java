package dev.penjing.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The pieces are those of tokenizers 0.23.
class SplitBehaviorTest {
    private static final String TEXT = ", ab  12a,, b ";

    /// @param expected the pieces, a bar behind each
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "Isolated;false;\",| |ab| | |12a|,|,| |b| |\"",
                "Isolated;true;\",| |ab| | |12a|,|,| |b| |\"",
                "Removed;false;\"ab|12a|b|\"",
                "Removed;true;\",| | | |,|,| | |\"",
                "MergedWithPrevious;false;\",| |ab | |12a,|,| |b |\"",
                "MergedWithPrevious;true;\",| ab| | 12a|,|,| b| |\"",
                "MergedWithNext;false;\",| ab| | 12a|,|,| b| |\"",
                "MergedWithNext;true;\",| |ab | |12a,|,| |b |\"",
                "Contiguous;false;\", |ab|  |12a|,, |b| |\"",
                "Contiguous;true;\", |ab|  |12a|,, |b| |\""
            })
    void whatBecomesOfMatches(String behavior, boolean invert, String expected) {
        PreTokenizer split = PreTokenizer.pattern("[ ,]", SplitBehavior.of(behavior), invert);
        assertThat(split.split(TEXT)).isEqualTo(List.of(expected.split("\\|")));
    }

    @Test
    void punctuationAndWhiteSpace() {
        String text = "a\u00b2 b$,, \u200d\u3000c\u00a7\u2026 d_e\u0085f\u001cg";
        assertThat(PreTokenizer.punctuation(SplitBehavior.ISOLATED).split(text))
                .containsExactly(
                        "a\u00b2 b",
                        "$",
                        ",",
                        ",",
                        " \u200d\u3000c",
                        "\u00a7",
                        "\u2026",
                        " d",
                        "_",
                        "e\u0085f\u001cg");
        assertThat(PreTokenizer.WHITESPACE.split(text))
                .containsExactly(
                        "a",
                        "\u00b2",
                        "b",
                        "$,,",
                        "\u200d",
                        "c",
                        "\u00a7\u2026",
                        "d_e",
                        "f",
                        "\u001c",
                        "g");
        assertThat(PreTokenizer.WHITESPACE_SPLIT.split(text))
                .containsExactly("a\u00b2", "b$,,", "\u200d", "c\u00a7\u2026", "d_e", "f\u001cg");
    }

    @Test
    void anotherBehaviorIsNone() {
        assertThatThrownBy(() -> SplitBehavior.of("Merged"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
