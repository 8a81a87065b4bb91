package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.penjing.compression.torch.Compute;
import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Evaluation;
import dev.penjing.evaluation.PromptStyle;
import dev.penjing.evaluation.ResultCache;
import dev.penjing.evaluation.Sample;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskResult;
import dev.penjing.evaluation.data.LocalData;
import dev.penjing.evaluation.metrics.Score;
import dev.penjing.evaluation.report.HarnessJson;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import dev.penjing.model.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What lm-evaluation-harness makes of the same items with the same model: every context and
/// continuation equal, likelihoods within 1e-3, the same verdicts, the same scores. With other data
/// than the tests' own: `-Dpenjing.harness.model=MODEL -Dpenjing.harness.data=FOLDER
/// -Dpenjing.harness.golden=FOLDER`.
class HarnessAgreesTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Path RESOURCES = Path.of("../evaluation/src/test/resources");
    private static final Path MODEL = setting("model", Path.of("../teacher"));
    private static final Path DATA = setting("data", RESOURCES.resolve("benchmarks"));
    private static final Path GOLDEN = setting("golden", RESOURCES.resolve("golden"));

    private static Path setting(String name, Path usual) {
        return Optional.ofNullable(System.getProperty("penjing.harness." + name))
                .map(Path::of)
                .orElse(usual);
    }

    /// A run of the harness.
    private record Run(JsonNode settings, List<JsonNode> documents, JsonNode scores) {
        Set<String> tasks() {
            Set<String> tasks = new LinkedHashSet<>();
            documents.forEach(document -> tasks.add(document.path("task").asString()));
            return tasks;
        }

        List<String> groups() {
            return scores.propertyNames().stream()
                    .filter(name -> name.startsWith("mmlu") && !tasks().contains(name))
                    // the harness lists groups too of which nothing was asked
                    .filter(name -> scores.path(name).has("acc,none"))
                    .toList();
        }

        /// What the harness was told about a task.
        Evaluation.Settings of(String task) {
            int items =
                    (int)
                            documents.stream()
                                    .filter(d -> d.path("task").asString().equals(task))
                                    .count();
            return new Evaluation.Settings(
                    OptionalInt.of(settings.path("num_fewshot").iterator().next().asInt()),
                    OptionalInt.of(items),
                    OptionalInt.of(settings.path("max_gen_toks").asInt()),
                    1234);
        }
    }

    private static List<Run> runs(Path file) throws IOException {
        List<Run> runs = new ArrayList<>();
        JsonNode settings = JSON.missingNode();
        List<JsonNode> documents = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            JsonNode json = JSON.readTree(line);
            if (json.has("run")) {
                settings = json.path("run");
                documents = new ArrayList<>();
            } else if (json.has("scores")) {
                runs.add(new Run(settings, documents, json.path("scores").path("results")));
            } else {
                documents.add(json);
            }
        }
        return runs;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "winogrande",
                "arc_challenge",
                "mmlu",
                "hellaswag",
                "gsm8k",
                "truthfulqa_mc2"
            })
    void agrees(String task) throws IOException {
        Path file = GOLDEN.resolve(task + ".jsonl");
        assumeTrue(Files.exists(file), "nothing to compare " + task + " with");
        List<Run> runs = runs(file);
        assertThat(runs).isNotEmpty();
        for (Run run : runs) {
            compare(run);
        }
    }

    private static void compare(Run run) {
        String chat = run.settings().path("chat").asString();
        PromptStyle style =
                new PromptStyle(
                        run.settings().path("bos").asBoolean()
                                ? Optional.of(true)
                                : Optional.empty(),
                        !chat.equals("none"),
                        chat.equals("turns"));
        List<Sample> samples = new ArrayList<>();
        List<Benchmark> benchmarks = new ArrayList<>();
        List<TaskResult> results = new ArrayList<>();
        try (EvaluatedModel measured =
                EvaluatedModel.onTorch(MODEL, style, Compute.float32(), new ConsoleProgress())) {
            for (String task : run.tasks()) {
                List<Benchmark> benchmark = benchmarks(task);
                benchmarks.addAll(benchmark);
                results.addAll(
                        Evaluation.run(
                                measured.subject(),
                                benchmark,
                                new LocalData(DATA),
                                run.of(task),
                                ResultCache.none(),
                                Progress.NONE,
                                samples::add));
            }
        }
        boolean allCertain = true;
        for (JsonNode document : run.documents()) {
            allCertain &= compare(document, sample(samples, document), run.settings());
        }
        if (allCertain) {
            compare(run.scores(), HarnessJson.of(benchmarks, results), run.settings());
            run.groups().forEach(group -> compareGroup(group, run.scores().path(group), results));
        }
    }

    private static List<Benchmark> benchmarks(String names) {
        return Benchmarks.of(
                names,
                CodeBenchmarkSettings.usual(() -> {
                    throw new AssertionError("no programs here");
                }));
    }

    /// The mean over those subjects of a group that were asked.
    private static void compareGroup(String group, JsonNode expected, List<TaskResult> results) {
        List<Task> all = benchmarks(group).getFirst().tasks();
        List<Task> asked = results.stream().map(TaskResult::task).filter(all::contains).toList();
        Score score = new Benchmark(group, asked, Map.of()).headline(results);
        assertThat(score.value()).isCloseTo(expected.path("acc,none").asDouble(), within(1e-6));
        assertThat(score.error())
                .isCloseTo(expected.path("acc_stderr,none").asDouble(), within(1e-6));
    }

    private static Sample sample(List<Sample> samples, JsonNode document) {
        return samples.stream()
                .filter(s ->
                        s.task().equals(document.path("task").asString())
                                && s.index() == document.path("doc").asInt())
                .findFirst()
                .orElseThrow();
    }

    /// @return whether rounding could not have made the answer another
    private static boolean compare(JsonNode document, Sample sample, JsonNode settings) {
        String where = document.path("task") + " " + document.path("doc") + " of " + settings;
        if (document.has("contexts")) {
            assertThat(sample.contexts()).as(where).isEqualTo(texts(document.path("contexts")));
        } else {
            assertThat(sample.contexts().stream().map(HarnessAgreesTest::sha256))
                    .as(where)
                    .isEqualTo(texts(document.path("contexts_sha256")));
        }
        if (document.has("answer")) {
            // the harness's next best token was as good as its best
            if (document.path("margin").asDouble() < 1e-3) {
                return false;
            }
            assertThat(sample.texts())
                    .as(where)
                    .containsExactly(document.path("answer").asString());
            document.path("exact_match")
                    .properties()
                    .forEach(filter ->
                            assertThat(sample.scores().get("exact_match," + filter.getKey()))
                                    .as(where)
                                    .isEqualTo(filter.getValue().asDouble()));
            return true;
        }
        assertThat(new LinkedHashSet<>(sample.continuations()))
                .as(where)
                .isEqualTo(new LinkedHashSet<>(texts(document.path("continuations"))));
        JsonNode expected = document.path("loglikelihoods");
        assertThat(sample.logLikelihoods()).as(where).hasSize(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            assertThat(sample.logLikelihoods().get(i))
                    .as(where + " choice " + i)
                    .isCloseTo(expected.get(i).asDouble(), within(1e-3));
        }
        sample.scores()
                .forEach((metric, value) ->
                        assertThat(value)
                                .as(where + " " + metric)
                                .isCloseTo(
                                        document.path(metric.substring(0, metric.indexOf(',')))
                                                .asDouble(-1),
                                        within(1e-3)));
        return true;
    }

    private static void compare(JsonNode expected, ObjectNode ours, JsonNode settings) {
        for (var task : expected.properties()) {
            JsonNode results = ours.path("results").path(task.getKey());
            if (results.isMissingNode()) {
                // a group that was not asked for
                continue;
            }
            for (var score : task.getValue().properties()) {
                if (score.getKey().contains(",") && score.getValue().isNumber()) {
                    assertThat(results.path(score.getKey()).asDouble(-1))
                            .as("%s %s of %s", task.getKey(), score.getKey(), settings)
                            .isCloseTo(score.getValue().asDouble(), within(1e-4));
                }
            }
        }
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(one -> texts.add(one.asString()));
        return texts;
    }

    private static String sha256(String text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
