package dev.penjing.evaluation.report;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskResult;
import dev.penjing.evaluation.metrics.Score;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;

/// Models side by side: a row a benchmark, the first model's score and what share of it the others
/// have.
public final class ComparisonTable {
    private final List<Benchmark> benchmarks;
    private final Map<String, List<TaskResult>> results;
    private final boolean withPublished;
    private final DoubleFunction<String> duration;
    private final StringBuilder out = new StringBuilder();

    /// @param results by model, of all tasks of all benchmarks; the first model is what others are
    ///   compared with
    /// @param withPublished whether NVIDIA's published scores stand below
    /// @param duration writes a number of seconds
    public ComparisonTable(
            List<Benchmark> benchmarks,
            Map<String, List<TaskResult>> results,
            boolean withPublished,
            DoubleFunction<String> duration) {
        this.benchmarks = benchmarks;
        this.results = results;
        this.withPublished = withPublished;
        this.duration = duration;
    }

    /// The whole table, in lines that end.
    public String text() {
        out.setLength(0);
        List<String> models = List.copyOf(results.keySet());
        for (int i = 0; i < models.size(); i++) {
            printf("%s: %s%n", letter(i), models.get(i));
        }
        line("");
        StringBuilder head =
                new StringBuilder(
                        String.format(
                                "%-22s %-12s %5s %6s", "score, %", "metric", "shots", "items"));
        for (int i = 0; i < models.size(); i++) {
            head.append(String.format("%16s", letter(i)));
            head.append(i > 0 ? String.format("%8s", "kept") : "");
        }
        line(head.append(String.format("%9s", "chance")).toString());
        benchmarks.forEach(this::row);
        if (withPublished) {
            printPublished();
        }
        line("");
        printf(
                "Behind each score its standard error. %s%n",
                models.size() > 1 ? "kept: share of " + letter(0) + "'s score." : "");
        speed();
        return out.toString();
    }

    private void line(String text) {
        out.append(text).append(System.lineSeparator());
    }

    private void printf(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments));
    }

    private static String letter(int model) {
        return Character.toString('A' + model % 26);
    }

    private void row(Benchmark benchmark) {
        List<Score> scores = results.values().stream().map(benchmark::headline).toList();
        List<TaskResult> own = results.values().iterator().next();
        StringBuilder row = new StringBuilder();
        row.append(
                String.format(
                        Locale.ROOT,
                        "%-22s %-12s %5d %,6d",
                        benchmark.name(),
                        metric(benchmark.tasks().getFirst()),
                        benchmark.own(own).getFirst().shots(),
                        scores.getFirst().items()));
        for (int i = 0; i < scores.size(); i++) {
            row.append(
                    String.format(
                            Locale.ROOT,
                            "%9.1f ±%5.1f",
                            100 * scores.get(i).value(),
                            100 * scores.get(i).error()));
            if (i > 0) {
                double first = scores.getFirst().value();
                row.append(
                        first > 0
                                ? String.format(
                                        Locale.ROOT,
                                        "%6.0f %%",
                                        100 * scores.get(i).value() / first)
                                : String.format("%8s", "-"));
            }
        }
        double chance = benchmark.chance(own);
        line(row.append(String.format(Locale.ROOT, "%9.1f", 100 * chance)).toString());
    }

    private static String metric(Task task) {
        String metric = task.info().headline();
        return metric.endsWith(",none")
                ? metric.substring(0, metric.indexOf(','))
                : metric.substring(metric.indexOf(',') + 1);
    }

    private void printPublished() {
        line("");
        printf(
                "%-22s%s%n",
                "published by NVIDIA",
                String.join(
                        "",
                        PublishedScores.BY_MODEL.keySet().stream()
                                .map(m -> String.format("%24s", m))
                                .toList()));
        for (Benchmark benchmark : benchmarks) {
            List<String> cells = new ArrayList<>();
            for (Map<String, Double> scores : PublishedScores.BY_MODEL.values()) {
                Double score = scores.get(benchmark.name());
                if (score != null) {
                    cells.add(String.format(Locale.ROOT, "%24.1f", score));
                }
            }
            if (!cells.isEmpty()) {
                printf("%-22s%s%n", benchmark.name(), String.join("", cells));
            }
        }
    }

    private void speed() {
        long tokens = 0;
        long requests = 0;
        double seconds = 0;
        for (List<TaskResult> all : results.values()) {
            for (TaskResult result : all) {
                tokens += result.tokens();
                requests += result.requests();
                seconds += result.seconds();
            }
        }
        if (requests == 0) {
            line("All of it was kept from before.");
            return;
        }
        printf(
                "%,d requests of %,d tokens in %s: %,.1f requests/s, %,.0f tokens/s.%n",
                requests, tokens, duration.apply(seconds), requests / seconds, tokens / seconds);
    }
}
