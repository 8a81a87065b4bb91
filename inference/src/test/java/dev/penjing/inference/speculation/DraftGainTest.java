package dev.penjing.inference.speculation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DraftGainTest {
    /// Rounds with the draft among `rounds` in which it brings `tokens` and takes `times` as long.
    private static int drafted(DraftGain gain, int rounds, int tokens, double times) {
        int drafted = 0;
        for (int i = 0; i < rounds; i++) {
            boolean with = gain.drafting();
            drafted += with ? 1 : 0;
            if (with) {
                gain.took(DraftGain.Round.WITH, tokens, (long) (1000 * times));
            } else {
                gain.took(DraftGain.Round.WITHOUT, 1, 1000);
            }
        }
        return drafted;
    }

    @Test
    void aDraftThatCostsMoreThanItBringsIsOnlyTried() {
        DraftGain gain = new DraftGain();
        // before anything is known, it is used
        assertThat(drafted(gain, DraftGain.STRETCH, 2, 2.2)).isEqualTo(DraftGain.STRETCH);
        assertThat(drafted(gain, 10_000, 2, 2.2)).isBetween(DraftGain.TRIAL, 250);
    }

    @Test
    void aDraftThatPaysIsUsed() {
        DraftGain gain = new DraftGain();
        assertThat(drafted(gain, 10_000, 2, 1.8)).isBetween(9_750, 10_000 - DraftGain.TRIAL);
    }

    @Test
    void itChangesItsMind() {
        DraftGain gain = new DraftGain();
        drafted(gain, 5_000, 1, 1.5);
        drafted(gain, 3 * DraftGain.LONGEST, 3, 1.5);
        assertThat(drafted(gain, 1_000, 3, 1.5)).isGreaterThan(800);
        drafted(gain, 3 * DraftGain.LONGEST, 1, 1.5);
        assertThat(drafted(gain, 1_000, 1, 1.5)).isLessThan(200);
    }

    @Test
    void oneRoundInWhichTheSystemDidSomethingElseChangesNothing() {
        DraftGain gain = new DraftGain();
        drafted(gain, DraftGain.STRETCH - 3, 3, 1.5);
        gain.took(DraftGain.Round.WITH, 3, 1_000_000);
        drafted(gain, 2 + DraftGain.TRIAL, 3, 1.5);
        assertThat(drafted(gain, DraftGain.STRETCH, 3, 1.5)).isEqualTo(DraftGain.STRETCH);
    }

    @Test
    void readingWhatItMissedIsNeitherWaysTime() {
        DraftGain gain = new DraftGain();
        drafted(gain, 5_000, 2, 2.2);
        while (!gain.drafting()) {
            gain.took(DraftGain.Round.WITHOUT, 1, 1000);
        }
        for (int i = 0; i < DraftGain.TRIAL; i++) {
            gain.took(DraftGain.Round.CATCHING_UP, 1, 1_000_000);
        }
        assertThat(drafted(gain, DraftGain.LONGEST, 2, 2.2)).isZero();
    }
}
