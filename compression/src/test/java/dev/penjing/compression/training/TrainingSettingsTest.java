package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.training.TrainingSettings.Builder;
import dev.penjing.model.UsageException;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TrainingSettingsTest {
    private static Builder builder() {
        return TrainingSettings.builder(256_000)
                .learningRate(1e-2, 1e-4)
                .warmupSteps(2)
                .globalBatchSize(8)
                .microBatchSize(4)
                .sequenceLength(320)
                .seed(4);
    }

    @Test
    void theLearningRateWarmsUpAndFallsToItsMinimum() {
        TrainingSettings settings = builder().build();
        assertThat(settings.steps()).isEqualTo(100);
        assertThat(settings.learningRateAt(1)).isCloseTo(5e-3, within(1e-12));
        assertThat(settings.learningRateAt(2)).isCloseTo(1e-2, within(1e-12));
        assertThat(settings.learningRateAt(51)).isCloseTo(5.05e-3, within(1e-12));
        assertThat(settings.learningRateAt(100)).isCloseTo(1e-4, within(1e-12));
    }

    /// Runs of days are recognised by it: it may change only with its version.
    @Test
    void theFingerprintIsThisText() {
        assertThat(builder().build().fingerprint())
                .isEqualTo(
                        """
                        training 2
                        objective=kl
                        steps=100
                        learningRate=0.01
                        minLearningRate=1.0E-4
                        warmupSteps=2
                        globalBatchSize=8
                        microBatchSize=4
                        sequenceLength=320
                        seed=4
                        weightDecay=0.1
                        clip=1.0
                        """);
    }

    @Test
    void whatDecidesTheWeightsIsInTheFingerprintAndNothingElse() {
        String plain = builder().build().fingerprint();
        assertThat(builder().evaluateEvery(7).checkpointEvery(3).build().fingerprint())
                .isEqualTo(plain);
        List<UnaryOperator<Builder>> changes =
                List.of(
                        b -> b.objective(new CrossEntropy()),
                        b -> b.learningRate(2e-2, 1e-4),
                        b -> b.learningRate(1e-2, 1e-5),
                        b -> b.warmupSteps(3),
                        b -> b.globalBatchSize(16),
                        b -> b.microBatchSize(2),
                        b -> b.sequenceLength(640),
                        b -> b.seed(5),
                        b -> b.weightDecay(0),
                        b -> b.clip(2));
        for (UnaryOperator<Builder> change : changes) {
            assertThat(change.apply(builder()).build().fingerprint()).isNotEqualTo(plain);
        }
    }

    @Test
    void aMicroBatchIsAboutFourThousandTokens() {
        Builder builder = TrainingSettings.builder(1).globalBatchSize(30).sequenceLength(512);
        assertThat(builder.build().microBatchSize()).isEqualTo(6);
        assertThat(builder.sequenceLength(100_000).build().microBatchSize()).isEqualTo(1);
        assertThat(builder.sequenceLength(2).build().microBatchSize()).isEqualTo(30);
    }

    @Test
    void errorsNameTheField() {
        assertThatThrownBy(() -> builder().learningRate(0, 0).build())
                .isInstanceOf(UsageException.class)
                .hasMessage("learningRate must be positive");
        assertThatThrownBy(() -> builder().microBatchSize(3).build())
                .hasMessage("globalBatchSize must be a multiple of microBatchSize");
    }
}
