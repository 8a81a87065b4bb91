package dev.penjing.compression.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.util.Arrays;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class DecoderTest {
    private static final Compute COMPUTE = Compute.float32();

    /// Logits that transformers 5.23 (eager attention, float32) computes for the same weights: the
    /// first eight of the last of 21 positions, and the norm of all.
    static Stream<Arguments> references() {
        return Stream.of(
                Arguments.of(
                        TinyModels.llama(", \"rope_theta\": 10000.0"),
                        new double[] {
                            -0.03831, 0.98278, 1.79376, -0.01297, -0.01694, 0.60012, 0.99898,
                            -1.74299
                        },
                        31.6302),
                Arguments.of(
                        TinyModels.llama(
                                """
                                , "rope_parameters": {"rope_type": "llama3",
                                "rope_theta": 10000.0, "factor": 8.0,
                                "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                "original_max_position_embeddings": 32},
                                "tie_word_embeddings": true
                                """
                                        .replace("\n", " ")),
                        new double[] {
                            0.8599, -1.19114, -1.16259, 1.43778, -0.84535, 0.65162, 0.24476,
                            -1.24753
                        },
                        30.0248),
                Arguments.of(
                        TinyModels.llama(", \"attention_bias\": true"),
                        new double[] {
                            0.92118, -0.49605, 0.05431, -1.61268, -0.88729, 1.61587, 0.95161,
                            -0.3571
                        },
                        29.5995),
                Arguments.of(
                        ModelConfig.parse(
                                TinyModels.llama("")
                                        .toJson()
                                        .replace("\"llama\"", "\"mistral\"")
                                        .replace("10000.0", "1000000.0")
                                        .replaceFirst("\\{", "{\"sliding_window\": 5,"),
                                "test"),
                        new double[] {
                            -0.6521, 0.59792, -0.62741, -0.86188, 0.51685, -0.59108, -0.00453,
                            -0.03732
                        },
                        31.3008),
                Arguments.of(
                        ModelConfig.parse(
                                TinyModels.llama("")
                                        .toJson()
                                        .replace("\"llama\"", "\"qwen2\"")
                                        .replace("10000.0", "1000000.0"),
                                "test"),
                        new double[] {
                            0.84725, -0.2047, 0.77693, 0.47189, -0.84025, 1.64008, 0.88529, -0.76057
                        },
                        29.7706));
    }

    @ParameterizedTest
    @MethodSource("references")
    void logitsAreThoseOfTransformers(ModelConfig config, double[] last, double norm) {
        try (FlatParameters parameters = TinyModels.parameters(config, COMPUTE);
                Decoder decoder = new Decoder(config, parameters, COMPUTE)) {
            float[] logits = TinyModels.logits(decoder, TinyModels.ids(21));
            for (int i = 0; i < last.length; i++) {
                assertThat((double) logits[20 * 64 + i]).isCloseTo(last[i], within(1e-4));
            }
            double sum = 0;
            for (float logit : logits) {
                sum += (double) logit * logit;
            }
            assertThat(Math.sqrt(sum)).isCloseTo(norm, within(1e-3));
        }
    }

    /// A Qwen 2 is a Llama whose output projection has no bias while its q, k and v have.
    @Test
    void biasesAreWhereTheTensorsHaveThem() {
        ModelConfig llama = TinyModels.llama(", \"attention_bias\": true");
        ModelConfig qwen =
                ModelConfig.parse(
                        TinyModels.llama("").toJson().replace("\"llama\"", "\"qwen2\""), "test");
        assertThat(qwen.tensors().find(0, Role.QUERY_BIAS)).isPresent();
        assertThat(qwen.tensors().find(0, Role.OUTPUT_BIAS)).isEmpty();
        int[] ids = TinyModels.ids(20);
        try (FlatParameters all = TinyModels.parameters(llama, COMPUTE);
                FlatParameters some = TinyModels.parameters(qwen, COMPUTE);
                Decoder first = new Decoder(llama, all, COMPUTE);
                Decoder second = new Decoder(qwen, some, COMPUTE);
                AutoGradMode noGrad = new AutoGradMode(false)) {
            float[] biased = TinyModels.logits(second, ids);
            assertThat(TinyModels.difference(TinyModels.logits(first, ids), biased))
                    .isGreaterThan(0.1);
            for (int layer = 0; layer < llama.numHiddenLayers(); layer++) {
                try (PointerScope scope = new PointerScope()) {
                    all.view(llama.tensors().in(layer, Role.OUTPUT_BIAS)).zero_();
                }
            }
            assertThat(TinyModels.logits(first, ids)).containsExactly(biased, within(1e-5f));
        }
    }

    @Test
    void whatComesLaterChangesNothingBefore() {
        ModelConfig config = TinyModels.llama("");
        try (FlatParameters parameters = TinyModels.parameters(config, COMPUTE);
                Decoder decoder = new Decoder(config, parameters, COMPUTE)) {
            float[] longer = TinyModels.logits(decoder, TinyModels.ids(33));
            float[] shorter = TinyModels.logits(decoder, TinyModels.ids(12));
            assertThat(Arrays.copyOf(longer, shorter.length))
                    .containsExactly(shorter, within(1e-5f));
        }
    }
}
