package dev.penjing.compression.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TorchModelTest {
    private static final int CONTEXT = 2048;
    private static final ModelConfig PLAIN = longer(TinyModels.llama(", \"attention_bias\": true"));
    private static final ModelConfig WINDOWED =
            ModelConfig.parse(
                    PLAIN.toJson()
                            .replace("\"llama\"", "\"mistral\"")
                            .replaceFirst("\\{", "{\"sliding_window\": 21,"),
                    "test");

    @TempDir Path folder;
    private final Random random = new Random(5);

    private static ModelConfig longer(ModelConfig config) {
        String json = config.toJson();
        String changed =
                json.replaceFirst("(\"max_position_embeddings\"\\s*:\\s*)128", "$1" + CONTEXT);
        assertThat(changed).isNotEqualTo(json);
        return ModelConfig.parse(changed, "test");
    }

    static Stream<ModelConfig> configs() {
        assertThat(WINDOWED.slidingWindow()).hasValue(21);
        return Stream.of(PLAIN, WINDOWED);
    }

    private TorchModel model(ModelConfig config, String type) {
        TinyModels.write(config, folder, (spec, weights) -> weights);
        return TorchModel.load(folder, new TinyModels.Bytes(), Compute.start("cpu", type, 1));
    }

    private int[] ids(int count) {
        return random.ints(count, 0, 64).toArray();
    }

    private int[] joined(int[] a, int... b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /// What one whole sequence gives, without any cache.
    private static double plain(TorchModel model, ScoredText text) {
        int[] inputs = Arrays.copyOf(text.ids(), text.ids().length - 1);
        if (inputs.length == 0) {
            return 0;
        }
        float[] logits = TinyModels.logits(model.decoder(), inputs);
        double sum = 0;
        for (int i = text.from(); i < text.ids().length; i++) {
            double norm = 0;
            for (int v = 0; v < 64; v++) {
                norm += Math.exp(logits[(i - 1) * 64 + v]);
            }
            sum += logits[(i - 1) * 64 + text.ids()[i]] - Math.log(norm);
        }
        return sum;
    }

    private static void assertScores(TorchModel model, List<ScoredText> texts, double tolerance) {
        double[] scores = model.likelihoods(texts);
        assertThat(scores).hasSize(texts.size());
        for (int i = 0; i < scores.length; i++) {
            assertThat(scores[i])
                    .as("text %d", i)
                    .isCloseTo(plain(model, texts.get(i)), within(tolerance));
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void likelihoodsOfTextsThatBranchAnywhere(ModelConfig config) {
        try (TorchModel model = model(config, "float32")) {
            for (int round = 0; round < 12; round++) {
                List<ScoredText> texts = new ArrayList<>();
                for (int i = 0; i < 15; i++) {
                    int[] ids = ids(1 + random.nextInt(60));
                    if (!texts.isEmpty() && random.nextInt(5) > 0) {
                        int[] other = texts.get(random.nextInt(texts.size())).ids();
                        ids = joined(Arrays.copyOf(other, random.nextInt(other.length + 1)), ids);
                    }
                    texts.add(new ScoredText(ids, 1 + random.nextInt(ids.length)));
                }
                texts.add(texts.get(random.nextInt(texts.size())));
                assertScores(model, texts, 1e-3);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void likelihoodsOfTheShapesOfBenchmarks(ModelConfig config) {
        try (TorchModel model = model(config, "float32")) {
            // shared shots, then questions, then choices that differ in the last id
            int[] shots = ids(700);
            List<ScoredText> texts = new ArrayList<>();
            for (int question = 0; question < 12; question++) {
                int[] asked = joined(shots, ids(20 + question * 9));
                for (int choice = 0; choice < 4; choice++) {
                    texts.add(new ScoredText(joined(asked, choice), asked.length));
                }
            }
            // long ones that differ in their last few ids, one that ends where they begin
            for (int document = 0; document < 2; document++) {
                int[] asked = ids(1300 + document);
                for (int choice = 0; choice < 4; choice++) {
                    texts.add(new ScoredText(joined(asked, ids(3 + choice)), asked.length));
                }
                texts.add(new ScoredText(asked, 1));
            }
            // a difference in the middle
            int[] first = ids(90);
            int[] second = first.clone();
            second[50] = (second[50] + 1) % 64;
            texts.add(new ScoredText(first, 60));
            texts.add(new ScoredText(second, 60));
            // branches that are long themselves, and pieces that end with a chunk
            int[] root = ids(100);
            for (int length : new int[] {412, 413, 511, 512, 513, 600, 1025, 1500}) {
                texts.add(new ScoredText(joined(root, ids(length)), 90));
            }
            // the last is only predicted
            texts.add(new ScoredText(ids(CONTEXT + 1), 1));
            assertScores(model, texts, 2e-3);
        }
    }

    @Test
    void bfloat16IsCloseToFloat32() {
        List<ScoredText> texts = new ArrayList<>();
        int[] shots = ids(600);
        for (int i = 0; i < 8; i++) {
            int[] asked = joined(shots, ids(30));
            texts.add(new ScoredText(joined(asked, ids(10)), asked.length));
            texts.add(new ScoredText(joined(asked, ids(10)), asked.length));
        }
        try (TorchModel model = model(PLAIN, "float32");
                TorchModel reduced = model(PLAIN, "bfloat16")) {
            double[] exact = model.likelihoods(texts);
            double[] rounded = reduced.likelihoods(texts);
            for (int i = 0; i < exact.length; i++) {
                assertThat(rounded[i] / 10).isCloseTo(exact[i] / 10, within(0.05));
            }
        }
    }

    @Test
    void logProbabilitiesAreThoseOfEachId() {
        try (TorchModel model = model(PLAIN, "float32")) {
            List<int[]> texts = List.of(ids(1), ids(700), ids(2), ids(40));
            List<float[]> scores = model.logProbabilities(texts);
            for (int i = 0; i < texts.size(); i++) {
                int[] ids = texts.get(i);
                assertThat(scores.get(i)).hasSize(ids.length - 1);
                for (int t : new int[] {1, ids.length / 2, ids.length - 1}) {
                    if (t > 0 && t < ids.length) {
                        ScoredText one = new ScoredText(Arrays.copyOf(ids, t + 1), t);
                        assertThat((double) scores.get(i)[t - 1])
                                .isCloseTo(plain(model, one), within(1e-4));
                    }
                }
            }
            float[] flat = TinyModels.logits(model.decoder(), texts.get(1));
            float[][] logits = model.logits(texts.get(1));
            assertThat(logits[699])
                    .containsExactly(Arrays.copyOfRange(flat, 699 * 64, 700 * 64), within(1e-3f));
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void answersOfABatchAreThoseOfEachPrompt(ModelConfig config) {
        try (TorchModel model = model(config, "float32")) {
            for (int shared : new int[] {0, 40, 530}) {
                int[] beginning = ids(shared);
                List<Prompt> prompts = new ArrayList<>();
                for (int i = 0; i < 45; i++) {
                    // lengths and ends of all kinds; more prompts than rows
                    int[] ids = joined(beginning, ids(1 + random.nextInt(i % 7 == 6 ? 600 : 30)));
                    int most = 1 + random.nextInt(i % 9 == 8 ? 400 : 20);
                    int last = random.nextInt(64);
                    prompts.add(new Prompt(ids, most, Prompt.Draw.GREEDY, id -> id == last));
                }
                Set<Integer> told = new HashSet<>();
                List<int[]> answers =
                        model.generate(prompts, i -> assertThat(told.add(i)).isTrue());
                assertThat(told).hasSize(45);
                for (int i = 0; i < prompts.size(); i++) {
                    assertThat(model.generate(List.of(prompts.get(i)), x -> {}).getFirst())
                            .as("prompt %d behind %d", i, shared)
                            .isEqualTo(answers.get(i));
                }
                for (int i : new int[] {0, 6, 44}) {
                    assertThat(stepByStep(model, prompts.get(i))).isEqualTo(answers.get(i));
                }
            }
        }
    }

    /// The likeliest id, again and again, each time of the whole sequence.
    private static int[] stepByStep(TorchModel model, Prompt prompt) {
        int[] ids = prompt.ids();
        boolean ended = false;
        while (!ended) {
            float[] logits = TinyModels.logits(model.decoder(), ids);
            int best = 0;
            for (int v = 1; v < 64; v++) {
                int at = (ids.length - 1) * 64;
                best = logits[at + v] > logits[at + best] ? v : best;
            }
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = best;
            ended =
                    prompt.last().test(best)
                            || ids.length - prompt.ids().length == prompt.maxNewTokens()
                            || ids.length == CONTEXT;
        }
        return Arrays.copyOfRange(ids, prompt.ids().length, ids.length);
    }

    @Test
    void anAnswerEndsWithTheContext() {
        try (TorchModel model = model(PLAIN, "float32")) {
            Prompt prompt = new Prompt(ids(CONTEXT - 3), 10, Prompt.Draw.GREEDY, id -> false);
            Prompt other = new Prompt(ids(5), 10, Prompt.Draw.GREEDY, id -> false);
            List<int[]> answers = model.generate(List.of(prompt, other), i -> {});
            assertThat(answers.get(0)).hasSize(3).isEqualTo(stepByStep(model, prompt));
            assertThat(answers.get(1)).hasSize(10);
            assertThat(model.generate(List.of(), i -> {})).isEmpty();
        }
    }

    @Test
    void lastIsToldEachIdOnce() {
        try (TorchModel model = model(PLAIN, "float32")) {
            List<List<Integer>> told = List.of(new ArrayList<>(), new ArrayList<>());
            List<Prompt> prompts =
                    told.stream()
                            .map(list ->
                                    new Prompt(
                                            ids(9),
                                            20,
                                            Prompt.Draw.GREEDY,
                                            id -> list.add(id) && list.size() == 7))
                            .toList();
            List<int[]> answers = model.generate(prompts, i -> {});
            for (int i = 0; i < 2; i++) {
                assertThat(answers.get(i))
                        .hasSize(7)
                        .isEqualTo(told.get(i).stream().mapToInt(x -> x).toArray());
            }
        }
    }

    @Test
    void whatIsDrawnDependsOnTheSeedAlone() {
        try (TorchModel model = model(PLAIN, "float32")) {
            int[] ids = ids(12);
            List<Prompt> prompts = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int[] asked = i % 4 == 0 ? ids : ids(1 + random.nextInt(40));
                long seed = i % 8 == 0 ? 77 : i;
                prompts.add(new Prompt(asked, 15, new Prompt.Draw(0.8, 0.95, seed), id -> false));
            }
            List<int[]> answers = model.generate(prompts, i -> {});
            assertThat(answers.get(8)).isEqualTo(answers.get(0)).isEqualTo(answers.get(16));
            assertThat(answers.get(4)).isNotEqualTo(answers.get(0));
            for (int i : new int[] {0, 1, 4, 19}) {
                assertThat(model.generate(List.of(prompts.get(i)), x -> {}).getFirst())
                        .isEqualTo(answers.get(i));
            }
        }
    }

    /// Answers of one token leave no rows to those that go on.
    @Test
    void someAnswersEndAtOnce() {
        try (TorchModel model = model(PLAIN, "float32")) {
            List<Prompt> prompts = new ArrayList<>();
            for (int i = 0; i < 7; i++) {
                int length = i % 3 == 0 ? 1 : 9;
                prompts.add(new Prompt(ids(5 + 3 * i), length, Prompt.Draw.GREEDY, id -> false));
            }
            List<int[]> answers = model.generate(prompts, x -> {});
            for (int i = 0; i < 7; i++) {
                assertThat(answers.get(i)).hasSize(i % 3 == 0 ? 1 : 9);
                assertThat(model.generate(List.of(prompts.get(i)), x -> {}).getFirst())
                        .isEqualTo(answers.get(i));
            }
            assertThat(model.generate(prompts.subList(0, 1), x -> {}).getFirst()).hasSize(1);
        }
    }

    @Test
    void whatCannotBeDoneIsSaid() {
        try (TorchModel model = model(PLAIN, "float32")) {
            assertThatThrownBy(() -> model.logProbabilities(List.of(new int[0])))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("no token");
            assertThatThrownBy(() -> model.likelihoods(List.of(new ScoredText(ids(2050), 2050))))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining(
                            "2050 tokens are too many for the model's context of 2048: give at most 2049");
            assertThatThrownBy(() -> model.likelihoods(List.of(new ScoredText(new int[] {64}, 1))))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("token id 64 is outside the vocabulary of 64");
            for (int[] ids : List.of(new int[0], ids(2048), new int[] {3, -1})) {
                Prompt good = new Prompt(ids(3), 1, Prompt.Draw.GREEDY, id -> false);
                Prompt bad = new Prompt(ids, 1, Prompt.Draw.GREEDY, id -> false);
                assertThatThrownBy(() ->
                                model.generate(
                                        List.of(good, bad),
                                        i -> {
                                            throw new AssertionError("nothing is begun");
                                        }))
                        .isInstanceOf(PenjingException.class);
            }
            assertThat(model.likelihoods(List.of(new ScoredText(ids(1), 1)))).containsExactly(0);
            assertThat(model.likelihoods(List.of())).isEmpty();
        }
    }

    @Test
    void memoryStaysFlat() throws IOException {
        try (TorchModel model = model(WINDOWED, "float32")) {
            work(model, 60);
            long grown = Long.MAX_VALUE;
            // the heap may grow in one of them; what leaks does so in each
            for (int run = 0; run < 3 && grown >= 6L << 20; run++) {
                long before = resident();
                work(model, 200);
                grown = Math.min(grown, resident() - before);
            }
            // a leak of one row's keys and values, 40 KB a round, would come to 8 MB
            assertThat(grown).isLessThan(6L << 20);
        }
    }

    private void work(TorchModel model, int rounds) {
        int[] shots = ids(520);
        for (int round = 0; round < rounds; round++) {
            List<ScoredText> texts = new ArrayList<>();
            List<Prompt> prompts = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                texts.add(new ScoredText(joined(shots, ids(40)), 530));
                prompts.add(new Prompt(ids(20 + 9 * i), 4 + i, Prompt.Draw.GREEDY, id -> false));
            }
            model.likelihoods(texts);
            model.generate(prompts, i -> {});
        }
    }

    /// Weights that are finite and too large: what comes of them is no score and no answer.
    @Test
    void aModelThatOverflowsIsAnError() {
        TinyModels.write(
                PLAIN,
                folder,
                (spec, weights) -> {
                    if (spec.role() == Role.FINAL_NORM) {
                        Arrays.fill(weights, 3e38f);
                    }
                    return weights;
                });
        try (TorchModel model =
                TorchModel.load(folder, new TinyModels.Bytes(), Compute.float32())) {
            List<ScoredText> texts = List.of(new ScoredText(ids(9), 1));
            assertThatThrownBy(() -> model.likelihoods(texts))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("not finite");
            assertThatThrownBy(() -> model.logProbabilities(List.of(ids(9))))
                    .hasMessageContaining("not finite");
            Prompt prompt = new Prompt(ids(9), 3, Prompt.Draw.GREEDY, id -> false);
            assertThatThrownBy(() -> model.generate(List.of(prompt), i -> {}))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("not finite");
        }
    }

    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) * 1024)
                .sum();
    }
}
