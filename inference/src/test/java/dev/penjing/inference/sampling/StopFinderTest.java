package dev.penjing.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StopFinderTest {
    @Test
    void aStopTextMayBeginBeforeTheLeastLengthButNotEndThere() {
        StopFinder finder = new StopFinder(List.of("abc", "b"));
        StringBuilder text = new StringBuilder();
        text.append(finder.add("abca", true)).append(finder.add("xa", true));
        text.append(finder.add("b", true));
        assertThat(finder.found()).isFalse();
        // the b that is held back ended too early; what it begins does not
        text.append(finder.add("c", false));
        assertThat(finder.found()).isTrue();
        assertThat(text.toString()).isEqualTo("abcax");
        StopFinder other = new StopFinder(List.of("abd", "b"));
        assertThat(other.add("ab", true) + other.add("x", false) + other.add("b", false))
                .isEqualTo("abx");
        assertThat(other.found()).isTrue();
    }
}
