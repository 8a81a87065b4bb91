package dev.penjing.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.data.LocalData;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is kept is found again where everything that decides it is the same, and only there; what
/// is no number is never kept.
class ResultCacheTest {
    private static final Arithmetic ARITHMETIC =
            new Arithmetic("1.0", "abc", "libtorch", "2.10.0 AVX2", "float32", "cpu");
    private static final String TASKS = "winogrande,gsm8k";

    @TempDir Path folder;

    private static List<Benchmark> benchmarks(String names) {
        return Benchmarks.of(
                names,
                CodeBenchmarkSettings.usual(() -> {
                    throw new AssertionError("no program is run");
                }));
    }

    private static Subject subject(FakeModel model, String content, Arithmetic arithmetic) {
        return new Subject(
                model,
                content,
                arithmetic,
                false,
                Optional.empty(),
                Optional.of("</s>"),
                Set.of(FakeModel.TOKENIZER.id("</s>").orElseThrow()),
                Prompts.PLAIN);
    }

    /// Measures as a command does, with what was kept in the folder.
    private void measure(FakeModel model, String content, Arithmetic arithmetic, Path data) {
        Subject subject = subject(model, content, arithmetic);
        try (ResultCache cache = ResultCache.of(folder.resolve("kept"), subject.key())) {
            List<TaskResult> unused =
                    Evaluation.run(
                            subject,
                            benchmarks(TASKS),
                            new LocalData(data),
                            Evaluation.Settings.USUAL.withLimit(OptionalInt.of(3)),
                            cache,
                            Progress.NONE,
                            sample -> {});
        }
    }

    private static Path data() {
        return Path.of("src/test/resources/benchmarks");
    }

    /// Whether a second measurement computes anything.
    private boolean isFresh(String content, Arithmetic arithmetic) {
        FakeModel model = new FakeModel(prompt -> " #### 4");
        measure(model, content, arithmetic, data());
        return model.texts() > 0;
    }

    @Test
    void anotherModelOrArithmeticIsComputedAnew() {
        assertThat(isFresh("weights", ARITHMETIC)).isTrue();
        assertThat(isFresh("weights", ARITHMETIC)).isFalse();
        assertThat(isFresh("other weights", ARITHMETIC)).isTrue();
        assertThat(
                        isFresh(
                                "weights",
                                new Arithmetic(
                                        "1.0", "abc", "libtorch", "2.13.0 AVX2", "float32", "cpu")))
                .isTrue();
        assertThat(
                        isFresh(
                                "weights",
                                new Arithmetic(
                                        "1.0", "def", "libtorch", "2.10.0 AVX2", "float32", "cpu")))
                .isTrue();
        assertThat(isFresh("weights", ARITHMETIC)).isFalse();
    }

    /// The ids that end an answer come from files beside the weights.
    @Test
    void whatEndsAnAnswerIsPartOfItsKey() {
        Prompt prompt = new Prompt(new int[] {1, 2}, 5, Prompt.Draw.GREEDY, id -> false);
        GenerationSettings settings = GenerationSettings.greedy(List.of("\n"), 5);
        String key = ResultCache.key(prompt, settings, Set.of(7, 8));
        assertThat(ResultCache.key(prompt, settings, Set.of(8, 7))).isEqualTo(key);
        assertThat(ResultCache.key(prompt, settings, Set.of(7))).isNotEqualTo(key);
        assertThat(ResultCache.key(prompt, settings.endedBySpecial(), Set.of(7, 8)))
                .isNotEqualTo(key);
        Prompt drawn = new Prompt(new int[] {1, 2}, 5, new Prompt.Draw(0.2, 1, 0), id -> false);
        assertThat(ResultCache.key(drawn, settings, Set.of(7, 8))).isNotEqualTo(key);
        assertThat(ResultCache.key(new ScoredText(new int[] {1, 2}, 1)))
                .isNotEqualTo(ResultCache.key(new ScoredText(new int[] {1, 2}, 2)));
    }

    /// The key of a measurement follows the content of its data, not the place.
    @Test
    void changedDataInTheSamePlaceHasAnotherKey() throws IOException {
        Path first = copyOf("first");
        Path second = copyOf("second");
        String key = key(first, OptionalInt.of(3));
        assertThat(key(second, OptionalInt.of(3))).isEqualTo(key);
        assertThat(key(first, OptionalInt.of(2))).isNotEqualTo(key);
        Path questions = first.resolve("winogrande/validation.jsonl");
        String text = Files.readString(questions);
        Files.writeString(questions, text.replaceFirst("\"answer\": *\"1\"", "\"answer\": \"2\""));
        assertThat(Files.readString(questions)).isNotEqualTo(text);
        assertThat(key(first, OptionalInt.empty())).isNotEqualTo(key(second, OptionalInt.empty()));
        // and what is only shown decides the prompts too
        String before = key(second, OptionalInt.of(3));
        Path shown = second.resolve("winogrande/train.jsonl");
        Files.writeString(shown, Files.readString(shown).replaceFirst("\\bthe\\b", "a"));
        assertThat(key(second, OptionalInt.of(3))).isNotEqualTo(before);
    }

    private Path copyOf(String name) throws IOException {
        Path to = Files.createDirectories(folder.resolve(name).resolve("winogrande"));
        for (String file : List.of("train.jsonl", "validation.jsonl")) {
            Files.copy(data().resolve("winogrande").resolve(file), to.resolve(file));
        }
        return folder.resolve(name);
    }

    private static String key(Path data, OptionalInt limit) {
        BenchmarkData items = new LocalData(data);
        return Evaluation.key(
                benchmarks("winogrande"), items, Evaluation.Settings.USUAL.withLimit(limit));
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY})
    void aLikelihoodThatIsNoNumberFailsAndIsNotKept(double likelihood) throws IOException {
        assertThatThrownBy(() ->
                        measure(FakeModel.withLast(likelihood), "weights", ARITHMETIC, data()))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("log-likelihood " + likelihood);
        Path kept =
                folder.resolve("kept")
                        .resolve(
                                subject(FakeModel.withLast(0), "weights", ARITHMETIC).key()
                                        + ".jsonl");
        assertThat(kept).isEmptyFile();
        try (ResultCache cache = ResultCache.of(folder.resolve("kept"), "direct")) {
            assertThatThrownBy(() -> cache.put("key", likelihood))
                    .isInstanceOf(PenjingException.class);
            assertThat(cache.has(List.of("key"))).isFalse();
        }
        assertThat(folder.resolve("kept/direct.jsonl")).isEmptyFile();
    }

    /// Whoever wrote them: no such line is taken for a result.
    @Test
    void linesThatHoldNoNumberAreAsIfTheyWereNotThere() throws IOException {
        Files.writeString(
                folder.resolve("old.jsonl"),
                """
                {"key":"nan","value":NaN}
                {"key":"text","value":"NaN"}
                {"key":"large","value":-1e999}
                {"key":"good","value":-1.5}
                """);
        try (ResultCache cache = ResultCache.of(folder, "old")) {
            assertThat(cache.has(List.of("nan"))).isFalse();
            assertThat(cache.has(List.of("text"))).isFalse();
            assertThat(cache.has(List.of("large"))).isFalse();
            assertThat(cache.likelihood("good")).isEqualTo(-1.5);
        }
    }

    /// Every task that compares likelihoods refuses by itself, whoever asks it.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "winogrande",
                "arc_challenge",
                "mmlu_miscellaneous",
                "hellaswag",
                "truthfulqa_mc2"
            })
    void noTaskJudgesWhatIsNoNumber(String name) {
        Task.Choosing task = (Task.Choosing) benchmarks(name).getFirst().tasks().getFirst();
        TaskInfo info = task.info();
        TaskItem item =
                task.read(new LocalData(data()).first(info.data(), info.evaluated(), 1).getFirst());
        double[] likelihoods = new double[8];
        likelihoods[1] = Double.NaN;
        assertThatThrownBy(() -> task.judge(item, likelihoods))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("NaN");
    }
}
