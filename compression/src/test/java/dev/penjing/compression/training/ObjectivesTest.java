package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.UsageException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectivesTest {
    @Test
    void areReadAsTheyAreWritten() {
        assertThat(Objectives.parse("kl")).isEqualTo(new ForwardKl(1));
        assertThat(Objectives.parse("kl@1")).isEqualTo(new ForwardKl(1));
        assertThat(Objectives.parse("kl@2")).isEqualTo(new ForwardKl(2));
        assertThat(Objectives.parse(" ce ")).isEqualTo(new CrossEntropy());
        assertThat(Objectives.parse("0.7 * kl@2 + 0.3*ce"))
                .isEqualTo(
                        new Mixture(
                                List.of(
                                        new Mixture.Term(0.7, new ForwardKl(2)),
                                        new Mixture.Term(0.3, new CrossEntropy()))));
        assertThat(Objectives.parse("kl+ce").needsTeacher()).isTrue();
        assertThat(Objectives.parse("2*ce").needsTeacher()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "mse", "kl@", "kl@0", "kl@-1", "kl@NaN", "ce@2", "0*kl+ce", "kl+", "*kl"
            })
    void nonsenseIsRefused(String text) {
        assertThatThrownBy(() -> Objectives.parse(text)).isInstanceOf(UsageException.class);
    }

    @Test
    void onlyWhatIsASumOfFusedTermsIsFused() {
        assertThat(Objectives.parse("0.5*kl+0.25*ce").fused())
                .hasValue(new Objective.FusedTerms(0.5, 0.25));
        assertThat(Objectives.parse("kl@2+ce").fused()).isEmpty();
    }
}
