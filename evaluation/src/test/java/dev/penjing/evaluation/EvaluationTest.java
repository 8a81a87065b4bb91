package dev.penjing.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.evaluation.code.CodeRunner;
import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.data.LocalData;
import dev.penjing.evaluation.data.OwnItems;
import dev.penjing.evaluation.report.HarnessJson;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.identity.Arithmetic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    private static final String ALL =
            "winogrande,arc_challenge,mmlu_miscellaneous,hellaswag,gsm8k,truthfulqa_mc2,xlsum_en,mbpp,humaneval";
    private static final BenchmarkData DATA =
            new LocalData(Path.of("src/test/resources/benchmarks"));
    private static final Function<String, String> TALKS =
            prompt -> " #### " + prompt.length() % 7 + "\n\nQuestion: and so on";

    private static final Arithmetic ARITHMETIC =
            new Arithmetic("1.0", "abc", "fake", "by hash", "float64", "cpu");

    @TempDir Path folder;

    private final List<String> run = Collections.synchronizedList(new ArrayList<>());

    private final Set<Thread> judges = Collections.synchronizedSet(new HashSet<>());

    private final CodeRunner runner =
            new CodeRunner() {
                @Override
                public Outcome run(String program) {
                    judges.add(Thread.currentThread());
                    run.add(program);
                    return new Outcome(program.length() % 2 == 0, "");
                }

                @Override
                public void close() {}
            };

    private List<Benchmark> benchmarks(String names) {
        return Benchmarks.of(names, CodeBenchmarkSettings.usual(() -> runner));
    }

    private static Subject subject(FakeModel model) {
        return new Subject(
                model,
                "fake",
                ARITHMETIC,
                false,
                Optional.of("<s>"),
                Optional.of("</s>"),
                Set.of(FakeModel.TOKENIZER.id("</s>").orElseThrow()),
                Prompts.PLAIN);
    }

    private String results(FakeModel model, String names, ResultCache cache) {
        List<Benchmark> benchmarks = benchmarks(names);
        List<TaskResult> results =
                Evaluation.run(
                        subject(model),
                        benchmarks,
                        DATA,
                        new Evaluation.Settings(
                                OptionalInt.of(3), OptionalInt.empty(), OptionalInt.empty(), 1234),
                        cache,
                        Progress.NONE,
                        sample -> {});
        return HarnessJson.of(benchmarks, results).path("results").toString();
    }

    @Test
    void twoRunsGiveTheSame() {
        String first = results(new FakeModel(TALKS), ALL, ResultCache.none());
        assertThat(results(new FakeModel(TALKS), ALL, ResultCache.none())).isEqualTo(first);
        assertThat(first)
                .contains("\"rougeL,none\"", "\"pass@1,none\"", "\"exact_match,strict-match\"")
                .contains("\"acc_norm_stderr,none\"");
    }

    /// Killed at every call in turn, each time going on where it was.
    @Test
    void stoppedAndResumedGivesTheSame() throws IOException {
        String expected = results(new FakeModel(TALKS), ALL, ResultCache.none());
        String got = "";
        int kills = 0;
        while (got.isEmpty()) {
            try (ResultCache cache = ResultCache.of(folder, "fake")) {
                got = results(FakeModel.dyingAfter(1, TALKS), ALL, cache);
            } catch (IllegalStateException e) {
                kills++;
                // and the last line was not written to its end
                Files.writeString(
                        folder.resolve("fake.jsonl"),
                        Files.readString(folder.resolve("fake.jsonl")) + "{\"key\":\"ab");
            }
        }
        assertThat(kills).isGreaterThanOrEqualTo(8);
        assertThat(got).isEqualTo(expected);
        FakeModel idle = new FakeModel(TALKS);
        try (ResultCache cache = ResultCache.of(folder, "fake")) {
            assertThat(results(idle, ALL, cache)).isEqualTo(expected);
        }
        assertThat(idle.texts()).isZero();
    }

    /// What of a slice is missing is not computed alone: the numbers would not be the same.
    @Test
    void aSliceIsComputedWhole() throws IOException {
        Path file = folder.resolve("fake.jsonl");
        String expected;
        try (ResultCache cache = ResultCache.of(folder, "fake")) {
            expected = results(new FakeModel(TALKS), "winogrande", cache);
        }
        List<String> lines = Files.readAllLines(file);
        Files.write(file, lines.subList(0, lines.size() / 2));
        FakeModel again = new FakeModel(TALKS);
        try (ResultCache cache = ResultCache.of(folder, "fake")) {
            assertThat(results(again, "winogrande", cache)).isEqualTo(expected);
        }
        assertThat(again.texts()).isEqualTo(lines.size());
    }

    @Test
    void programsAreWhatIsRun() {
        FakeModel model = new FakeModel(prompt -> "    return 1\n\ndef other():\n    pass\n");
        results(model, "humaneval", ResultCache.none());
        assertThat(run).hasSize(12);
        String first = run.stream().filter(p -> p.contains("plus_3")).findFirst().orElseThrow();
        assertThat(first)
                .isEqualTo(
                        """
                        def plus_3(x: int) -> int:
                            \""" Return x plus 3.
                            >>> plus_3(4)
                            7
                            \"""    return 1


                        \n
                        METADATA = {}


                        def check(candidate):
                            assert candidate(4) == 7
                            assert candidate(-3) == 0


                        check(plus_3)\
                        """);
        run.clear();
        results(
                new FakeModel(p -> "def f(x):\n    return x\nassert f(1)"),
                "mbpp",
                ResultCache.none());
        assertThat(run)
                .allSatisfy(p ->
                        assertThat(p)
                                .startsWith("\"\"\"\n")
                                .contains("\"\"\"\ndef f(x):\n    return x\nassert "));
    }

    /// A program may take its time: it must not hold up whatever else the common pool computes.
    @Test
    void programsTakeNoThreadFromTheCommonPool() {
        FakeModel model = new FakeModel(prompt -> "    return 1\n");
        results(model, "humaneval,mbpp", ResultCache.none());
        assertThat(judges).hasSizeGreaterThan(12).allMatch(Thread::isVirtual);
    }

    @Test
    void aFailureOfTheSandboxIsTheFailureOfTheRun() {
        CodeBenchmarkSettings settings =
                CodeBenchmarkSettings.usual(() -> {
                    throw new PenjingException("there is no sandbox");
                });
        assertThatThrownBy(() ->
                        Evaluation.run(
                                subject(new FakeModel(TALKS)),
                                Benchmarks.of("mbpp", settings),
                                DATA,
                                Evaluation.Settings.USUAL,
                                ResultCache.none(),
                                Progress.NONE,
                                sample -> {}))
                .isInstanceOf(PenjingException.class)
                .hasMessage("there is no sandbox");
    }

    @Test
    void theRegistryKnowsWhatRunsPrograms() {
        assertThat(Benchmarks.names()).hasSize(9).contains("winogrande", "mbpp");
        for (String name : Benchmarks.names()) {
            assertThat(Benchmarks.runPrograms(benchmarks(name)))
                    .as(name)
                    .isEqualTo(Set.of("mbpp", "humaneval").contains(name));
        }
    }

    @Test
    void onesOwnQuestions() throws IOException {
        Path file = folder.resolve("items.jsonl");
        Files.writeString(
                file,
                """
                {"task": "colour", "context": "The sky is", "choices": ["blue", "a"], "answer": 0}
                {"task": "sum", "context": "1 + 1 =", "answer": "2"}
                {"task": "colour", "context": "Grass is", "choices": ["red", "green", "x"], "answer": 1}
                """);
        OwnItems items = new OwnItems(file);
        List<Benchmark> benchmarks = Benchmarks.own(items);
        List<TaskResult> results =
                Evaluation.run(
                        subject(new FakeModel(p -> " 2<s>3\n")),
                        benchmarks,
                        items,
                        Evaluation.Settings.USUAL,
                        ResultCache.none(),
                        Progress.NONE,
                        sample -> {});
        assertThat(results.get(1).headline().value()).isEqualTo(1);
        assertThat(results.get(0).chance()).isEqualTo((1 / 2.0 + 1 / 3.0) / 2);
        assertThat(results.get(0).headline().items()).isEqualTo(2);
        Files.writeString(file, "{\"task\": \"a\"}\n");
        assertThatThrownBy(() -> new OwnItems(file))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("needs a task and a context");
        Files.writeString(
                file,
                "{\"task\": \"a\", \"context\": \"b\", \"choices\": [\"c\"], \"answer\": 1}\n");
        OwnItems wrong = new OwnItems(file);
        assertThatThrownBy(() ->
                        Evaluation.run(
                                subject(new FakeModel(TALKS)),
                                Benchmarks.own(wrong),
                                wrong,
                                Evaluation.Settings.USUAL,
                                ResultCache.none(),
                                Progress.NONE,
                                sample -> {}))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("'answer' that is none of its 1 choices");
    }

    @Test
    void wrongUsage() {
        assertThatThrownBy(() -> benchmarks("winogrande,chess"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("'chess'")
                .hasMessageContaining("hellaswag");
        assertThatThrownBy(() -> new CodeBenchmarkSettings(2, 0.2, 0.95, List.of(5), () -> runner))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("samples");
        assertThatThrownBy(() -> new CodeBenchmarkSettings(2, 0, 0.95, List.of(1), () -> runner))
                .isInstanceOf(UsageException.class);
        assertThatThrownBy(() ->
                        Evaluation.run(
                                subject(new FakeModel(TALKS)),
                                benchmarks("arc_challenge"),
                                DATA,
                                new Evaluation.Settings(
                                        OptionalInt.of(500),
                                        OptionalInt.empty(),
                                        OptionalInt.empty(),
                                        1234),
                                ResultCache.none(),
                                Progress.NONE,
                                sample -> {}))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("shots");
        assertThat(Benchmarks.of("all", CodeBenchmarkSettings.usual(() -> runner))).hasSize(9);
        assertThat(
                        Benchmarks.of("mmlu", CodeBenchmarkSettings.usual(() -> runner))
                                .getFirst()
                                .tasks())
                .hasSize(57);
    }
}
