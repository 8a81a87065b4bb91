package dev.penjing.evaluation.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsTest {
    /// Numbers of the package rouge_score 0.1.2.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    The cat sat on the mat. | A cat was sitting on the mat, the mat! | 0.666666666667 | 0.307692307692 | 0.533333333333
                    Police killed the gunman | the gunman police killed | 1 | 0.666666666667 | 0.5
                    It's 3,000 café-goers | its 3000 cafe goers | 0.2 | 0 | 0.2
                    one | '' | 0 | 0 | 0
                    a b c d e f | f e d c b a | 1 | 0 | 0.166666666667
                    the the the the | the the | 0.666666666667 | 0.5 | 0.666666666667
                    """)
    void rouge(String expected, String written, double one, double two, double longest) {
        List<String> left = Rouge.tokens(expected);
        List<String> right = Rouge.tokens(written);
        assertThat(Rouge.n(left, right, 1)).isCloseTo(one, within(1e-11));
        assertThat(Rouge.n(left, right, 2)).isCloseTo(two, within(1e-11));
        assertThat(Rouge.longest(left, right)).isCloseTo(longest, within(1e-11));
        assertThat(Rouge.longest(right, left)).isCloseTo(longest, within(1e-11));
    }

    /// The chance that k drawn without replacement hold none that passed, by counting.
    @Test
    void passAtK() {
        for (int n = 1; n <= 8; n++) {
            for (int passed = 0; passed <= n; passed++) {
                for (int k = 1; k <= n; k++) {
                    int all = 0;
                    int none = 0;
                    for (int set = 0; set < 1 << n; set++) {
                        if (Integer.bitCount(set) == k) {
                            all++;
                            none += (set & ((1 << passed) - 1)) == 0 ? 1 : 0;
                        }
                    }
                    assertThat(PassAtK.at(k, n, passed))
                            .isCloseTo(1 - (double) none / all, within(1e-12));
                }
            }
        }
        assertThatThrownBy(() -> PassAtK.at(3, 2, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void errors() {
        Score score = Score.of(new double[] {1, 0, 1, 1});
        assertThat(score.value()).isEqualTo(0.75);
        assertThat(score.error()).isCloseTo(0.25, within(1e-12));
        assertThat(Score.of(new double[] {1}).error()).isNaN();
        // of equal parts, as if they were one
        Score all = Score.of(new double[] {1, 0, 1, 1, 1, 0, 1, 1});
        Score pooled = Score.pooled(List.of(score, score));
        assertThat(pooled.value()).isEqualTo(all.value());
        assertThat(pooled.items()).isEqualTo(8);
        assertThat(pooled.error()).isCloseTo(all.error(), within(0.02));
    }
}
