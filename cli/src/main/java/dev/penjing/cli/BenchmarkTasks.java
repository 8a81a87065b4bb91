package dev.penjing.cli;

import dev.penjing.compression.run.Compression;
import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Evaluation;
import dev.penjing.evaluation.PromptStyle;
import dev.penjing.evaluation.ResultCache;
import dev.penjing.evaluation.Subject;
import dev.penjing.evaluation.TaskResult;
import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.data.OwnItems;
import dev.penjing.evaluation.metrics.Score;
import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import dev.penjing.model.Progress;
import dev.penjing.model.identity.Arithmetic;
import dev.penjing.model.language.LanguageModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Benchmarks as what a compression is measured on: the adapter between two rooms that do not know
/// each other.
///
/// @param cache where results are kept, so that a measurement that was stopped goes on; nowhere
///   where it takes seconds
record BenchmarkTasks(
        List<Benchmark> benchmarks,
        BenchmarkData data,
        Evaluation.Settings settings,
        Optional<Path> cache)
        implements Compression.Tasks {
    /// The questions in a file of one's own.
    static Compression.Tasks ofItems(Path file) {
        OwnItems items = new OwnItems(file);
        return new BenchmarkTasks(
                Benchmarks.own(items), items, Evaluation.Settings.USUAL, Optional.empty());
    }

    /// The benchmarks that the options name.
    ///
    /// @param run the folder of the run, where results are kept
    static Compression.Tasks of(
            BenchmarkOptions options, Path run, SandboxRunner runner, ConsoleProgress progress) {
        List<Benchmark> benchmarks =
                Benchmarks.of(
                        options.tasks.orElse("all"), CodeBenchmarkSettings.usual(runner::get));
        BenchmarkData data = options.data(progress);
        BenchmarkOptions.check(benchmarks, data, runner);
        return new BenchmarkTasks(
                benchmarks,
                data,
                Evaluation.Settings.USUAL.withLimit(options.limit()),
                Optional.of(run.resolve("measures")));
    }

    @Override
    public String key() {
        return Evaluation.key(benchmarks, data, settings);
    }

    @Override
    public Map<String, Compression.TaskScore> score(
            LanguageModel model,
            Path directory,
            String content,
            Arithmetic arithmetic,
            Progress progress) {
        Subject subject =
                Subject.ofFolder(model, content, arithmetic, directory, PromptStyle.USUAL);
        try (ResultCache kept =
                cache.map(folder -> ResultCache.of(folder, subject.key()))
                        .orElseGet(ResultCache::none)) {
            List<TaskResult> results =
                    Evaluation.run(
                            subject, benchmarks, data, settings, kept, progress, sample -> {});
            Map<String, Compression.TaskScore> scores = new LinkedHashMap<>();
            for (Benchmark benchmark : benchmarks) {
                Score score = benchmark.headline(results);
                scores.put(
                        benchmark.name(),
                        new Compression.TaskScore(
                                score.value(),
                                Double.isFinite(score.error()) ? score.error() : 0,
                                benchmark.chance(results)));
            }
            return scores;
        }
    }
}
