package dev.penjing.compression.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.model.language.Prompt.Draw;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TokenSamplerTest {
    /// Probabilities 0.4, 0.1, 0.3, 0.2 behind one foreign value.
    private static final float[] LOGITS = {
        99,
        (float) Math.log(0.4),
        (float) Math.log(0.1),
        (float) Math.log(0.3),
        (float) Math.log(0.2)
    };

    private static double[] shares(Draw draw) {
        TokenSampler drawing = new TokenSampler(4);
        SplittableRandom random = new SplittableRandom(draw.seed());
        double[] shares = new double[4];
        for (int i = 0; i < 100_000; i++) {
            shares[drawing.next(LOGITS, 1, draw, random)] += 1e-5;
        }
        return shares;
    }

    @Test
    void drawsByProbability() {
        assertThat(shares(new Draw(1, 1, 3)))
                .containsExactly(new double[] {0.4, 0.1, 0.3, 0.2}, within(0.01));
    }

    @Test
    void temperatureSharpens() {
        // squares: 0.16, 0.01, 0.09, 0.04 of 0.3
        assertThat(shares(new Draw(0.5, 1, 3)))
                .containsExactly(new double[] {16 / 30., 1 / 30., 9 / 30., 4 / 30.}, within(0.01));
        assertThat(shares(new Draw(0, 1, 3)))
                .containsExactly(new double[] {1, 0, 0, 0}, within(1e-9));
    }

    @Test
    void topPKeepsTheFewestThatAreEnough() {
        assertThat(shares(new Draw(1, 0.65, 3)))
                .containsExactly(new double[] {4 / 7., 0, 3 / 7., 0}, within(0.01));
        assertThat(shares(new Draw(1, 0.75, 3)))
                .containsExactly(new double[] {4 / 9., 0, 3 / 9., 2 / 9.}, within(0.01));
        assertThat(shares(new Draw(1, 0.01, 3)))
                .containsExactly(new double[] {1, 0, 0, 0}, within(1e-9));
    }
}
