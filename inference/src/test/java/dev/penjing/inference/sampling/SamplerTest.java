package dev.penjing.inference.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final int DRAWS = 40_000;

    /// Probabilities 0.5, 0.25, 0.15, 0.1 at temperature 1.
    private static final double[] SHARES = {0.5, 0.25, 0.15, 0.1};

    private static float[] logits() {
        float[] logits = new float[SHARES.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(SHARES[i]);
        }
        return logits;
    }

    private static Sampling sampling(float temperature, int topK, float topP, float minP) {
        return new Sampling(temperature, topK, topP, minP, 1, 0, 0, Map.of(), OptionalLong.of(7));
    }

    private static double[] drawn(Sampling sampling) {
        Sampler sampler = new Sampler(sampling, new int[0]);
        double[] shares = new double[SHARES.length];
        for (int i = 0; i < DRAWS; i++) {
            shares[sampler.next(logits(), 0, SHARES.length, Optional.empty())] += 1.0 / DRAWS;
        }
        return shares;
    }

    private static void requireShares(double[] drawn, double... expected) {
        for (int i = 0; i < expected.length; i++) {
            // four standard deviations
            double deviation = Math.sqrt(expected[i] * (1 - expected[i]) / DRAWS);
            assertThat(drawn[i]).as("token %d", i).isCloseTo(expected[i], within(4 * deviation));
        }
    }

    @Test
    void drawsByTheModelsProbabilities() {
        requireShares(drawn(sampling(1, 0, 1, 0)), SHARES);
    }

    /// p^(1/T), made to sum to one.
    @ParameterizedTest
    @ValueSource(floats = {0.5f, 2})
    void temperatureSharpensOrFlattens(float temperature) {
        double[] expected = new double[SHARES.length];
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            expected[i] = Math.pow(SHARES[i], 1 / temperature);
            sum += expected[i];
        }
        for (int i = 0; i < expected.length; i++) {
            expected[i] /= sum;
        }
        requireShares(drawn(sampling(temperature, 0, 1, 0)), expected);
    }

    @Test
    void whatIsCutOffIsNeverDrawn() {
        requireShares(drawn(sampling(1, 2, 1, 0)), 2 / 3.0, 1 / 3.0, 0, 0);
        // 0.5 and 0.25 reach 0.7
        requireShares(drawn(sampling(1, 0, 0.7f, 0)), 2 / 3.0, 1 / 3.0, 0, 0);
        // a quarter of the likeliest is 0.125
        requireShares(drawn(sampling(1, 0, 1, 0.25f)), 5 / 9.0, 2.5 / 9, 1.5 / 9, 0);
    }

    @Test
    void aMaskHoldsWhateverBiasesSay() {
        Sampling biased = new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(3, 100f), OptionalLong.empty());
        Optional<long[]> mask = Optional.of(new long[] {0b0110});
        assertThat(new Sampler(biased, new int[0]).next(logits(), 0, 4, Optional.empty()))
                .isEqualTo(3);
        assertThat(new Sampler(biased, new int[0]).next(logits(), 0, 4, mask)).isEqualTo(1);
    }

    @Test
    void penaltiesFollowTheirFormulas() {
        Sampler frequency =
                new Sampler(
                        new Sampling(0, 0, 1, 0, 1, 0.3f, 0.2f, Map.of(), OptionalLong.empty()),
                        new int[0]);
        float[] first = logits();
        assertThat(frequency.next(first, 0, 4, Optional.empty())).isZero();
        float[] second = logits();
        frequency.next(second, 0, 4, Optional.empty());
        assertThat(second[0]).isCloseTo(logits()[0] - 0.3f - 0.2f, within(1e-6f));
        assertThat(second[1]).isEqualTo(logits()[1]);
        // what is negative is multiplied, what is positive divided; the prompt counts
        Sampler repetition =
                new Sampler(
                        new Sampling(0, 0, 1, 0, 2, 0, 0, Map.of(), OptionalLong.empty()),
                        new int[] {0, 2});
        float[] logits = {3, 1, -1, 0};
        repetition.next(logits, 0, 4, Optional.empty());
        assertThat(logits).containsExactly(1.5f, 1, -2, 0);
    }

    @Test
    void aSeedIsAText() {
        for (int i = 0; i < 3; i++) {
            Sampler a = new Sampler(sampling(1.3f, 0, 0.95f, 0), new int[0]);
            Sampler b = new Sampler(sampling(1.3f, 0, 0.95f, 0), new int[0]);
            for (int draw = 0; draw < 200; draw++) {
                assertThat(a.next(logits(), 0, 4, Optional.empty()))
                        .isEqualTo(b.next(logits(), 0, 4, Optional.empty()));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void logitsThatAreNotFiniteAreAnError(float bad) {
        float[] logits = logits();
        Sampler.requireFinite(logits, 0, 4);
        logits[2] = bad;
        Sampler.requireFinite(logits, 0, 2);
        assertThatThrownBy(() -> Sampler.requireFinite(logits, 0, 4))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("not finite");
    }
}
