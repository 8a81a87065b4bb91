package dev.penjing.compression.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyFamily;
import dev.penjing.compression.TinyModels;
import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Every family on the decoder, beside transformers' numbers.
class FamilyLogitsTest {
    private static final Compute COMPUTE = Compute.float32();
    private static final int VOCABULARY = 64;

    @TempDir Path folder;

    static List<TinyFamily> families() {
        return TinyFamily.all();
    }

    private static float[] logits(ModelConfig config, int[] ids) {
        try (FlatParameters parameters = TinyModels.parameters(config, COMPUTE);
                Decoder decoder = new Decoder(config, parameters, COMPUTE)) {
            return TinyModels.logits(decoder, ids);
        }
    }

    @ParameterizedTest
    @MethodSource("families")
    void logitsAreThoseOfTransformers(TinyFamily family) {
        float[] logits = logits(family.config(), TinyModels.ids(21));
        for (int i = 0; i < family.last().size(); i++) {
            assertThat((double) logits[20 * VOCABULARY + i])
                    .isCloseTo(family.last().get(i), within(1e-4));
        }
        double sum = 0;
        for (float logit : logits) {
            sum += (double) logit * logit;
        }
        assertThat(Math.sqrt(sum)).isCloseTo(family.norm(), within(1e-3));
    }

    /// What is written says the same in either spelling: without transformers 5's keys, and without
    /// transformers 4's.
    @ParameterizedTest
    @MethodSource("families")
    void bothSpellingsSayTheSame(TinyFamily family) {
        ModelConfig config = family.config();
        String written = config.toJson();
        assertThat(ModelConfig.parse(written, "again").toJson()).isEqualTo(written);
        for (List<String> other :
                List.of(
                        List.of("rope_parameters", "dtype"),
                        List.of("rope_theta", "rope_scaling", "rope_local_base_freq"))) {
            ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(written);
            json.remove(other);
            ModelConfig read = ModelConfig.parse(json.toString(), "one spelling");
            assertThat(read.attention()).isEqualTo(config.attention());
            assertThat(read.multipliers()).isEqualTo(config.multipliers());
            assertThat(read.norm()).isEqualTo(config.norm());
            assertThat(read.mlp()).isEqualTo(config.mlp());
            assertThat(read.tensors().stream().map(t -> t.name()))
                    .isEqualTo(config.tensors().stream().map(t -> t.name()).toList());
        }
    }

    /// Texts that share a beginning, and answers, go through caches, each layer with its own window
    /// and positions; whole sequences do not.
    @ParameterizedTest
    @MethodSource("families")
    void whatIsCachedSaysTheSame(TinyFamily family) {
        TinyModels.write(family.config(), folder, (spec, weights) -> weights);
        int[] ids = TinyModels.ids(30);
        float[] logits = logits(family.config(), ids);
        try (TorchModel model = TorchModel.load(folder, new TinyModels.Bytes(), COMPUTE)) {
            int[] other = Arrays.copyOf(ids, 31);
            other[22] = 5;
            double[] scores =
                    model.likelihoods(List.of(new ScoredText(ids, 1), new ScoredText(other, 1)));
            assertThat(scores[0]).isCloseTo(sum(logits, ids), within(1e-3));
            assertThat(scores[1])
                    .isCloseTo(sum(logits(family.config(), other), other), within(1e-3));
            List<Prompt> prompts = new ArrayList<>();
            for (int length : new int[] {4, 9, 14}) {
                int[] asked = Arrays.copyOf(ids, length);
                prompts.add(new Prompt(asked, 12, Prompt.Draw.GREEDY, id -> false));
            }
            List<int[]> answers = model.generate(prompts, i -> {});
            for (int i = 0; i < answers.size(); i++) {
                requireGreedy(family.config(), prompts.get(i).ids(), answers.get(i));
            }
        }
    }

    /// The gradient of a weighted sum of the hidden states beside the difference of that sum along
    /// one direction, in which every parameter of the layers and of the last norm moves.
    @ParameterizedTest
    @MethodSource("families")
    void gradientsAreThoseOfDifferences(TinyFamily family) {
        ModelConfig config = family.config();
        try (PointerScope scope = new PointerScope();
                FlatParameters parameters = TinyModels.parameters(config, COMPUTE);
                FlatParameters gradients = FlatParameters.zeros(config, COMPUTE, ScalarType.Float);
                FlatParameters direction = FlatParameters.zeros(config, COMPUTE, ScalarType.Float);
                Decoder decoder = Decoder.trainable(config, parameters, gradients, COMPUTE)) {
            int[] ids = TinyModels.ids(12);
            Tensor embedded;
            Tensor weightsND;
            try (AutoGradMode noGrad = new AutoGradMode(false)) {
                embedded = decoder.embed(Tensors.ids(ids, 1, ids.length));
                weightsND = pattern(new long[] {ids.length, config.hiddenSize()}, 0);
                for (ParameterLayout.Slot slot : direction.layout().slots()) {
                    Role role = slot.spec().role();
                    if (role != Role.EMBEDDING && role != Role.HEAD) {
                        direction.view(slot.spec()).copy_(pattern(slot.shape(), slot.offset()));
                    }
                }
            }
            Tensor hidden = decoder.hidden(embedded);
            hidden.backward(weightsND, new BoolOptional(), false, new TensorArrayRefOptional());
            try (AutoGradMode noGrad = new AutoGradMode(false)) {
                for (ParameterLayout.Slot slot : gradients.layout().slots()) {
                    Role role = slot.spec().role();
                    if (role != Role.EMBEDDING && role != Role.HEAD) {
                        float[] gradient = Tensors.floats(gradients.view(slot.spec()));
                        double sum = 0;
                        for (float g : gradient) {
                            sum += Math.abs(g);
                        }
                        assertThat(sum).as(slot.spec().name()).isPositive();
                    }
                }
                double expected = gradients.flat().mul(direction.flat()).sum().item_double();
                double step = 2e-4;
                double difference =
                        (along(decoder, parameters, direction, embedded, weightsND, step)
                                        - along(
                                                decoder,
                                                parameters,
                                                direction,
                                                embedded,
                                                weightsND,
                                                -step))
                                / (2 * step);
                assertThat(difference).isCloseTo(expected, within(0.02 * Math.abs(expected)));
            }
        }
    }

    private static double along(
            Decoder decoder,
            FlatParameters parameters,
            FlatParameters direction,
            Tensor embedded,
            Tensor weightsND,
            double step) {
        Tensor moved = direction.flat().mul(new Scalar(step));
        parameters.flat().add_(moved);
        double sum =
                decoder.hidden(embedded).to(ScalarType.Double).mul(weightsND).sum().item_double();
        parameters.flat().sub_(moved);
        return sum;
    }

    private static Tensor pattern(long[] shape, long offset) {
        int size = Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) Math.sin(1.7 * (i + offset) + 0.3);
        }
        return TinyModels.tensor(values, shape);
    }

    private static double sum(float[] logits, int[] ids) {
        double sum = 0;
        for (int i = 1; i < ids.length; i++) {
            double norm = 0;
            for (int v = 0; v < VOCABULARY; v++) {
                norm += Math.exp(logits[(i - 1) * VOCABULARY + v]);
            }
            sum += logits[(i - 1) * VOCABULARY + ids[i]] - Math.log(norm);
        }
        return sum;
    }

    /// Each token of the answer is the likeliest one, but for a tie.
    private static void requireGreedy(ModelConfig config, int[] asked, int[] answer) {
        int[] all = Arrays.copyOf(asked, asked.length + answer.length);
        System.arraycopy(answer, 0, all, asked.length, answer.length);
        float[] logits = logits(config, all);
        for (int i = 0; i < answer.length; i++) {
            int row = (asked.length + i - 1) * VOCABULARY;
            float best = Float.NEGATIVE_INFINITY;
            for (int v = 0; v < VOCABULARY; v++) {
                best = Math.max(best, logits[row + v]);
            }
            assertThat(logits[row + answer[i]]).isCloseTo(best, within(1e-3f));
        }
    }
}
