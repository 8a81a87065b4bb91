package dev.penjing.cli;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.Score;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Models side by side: a row a benchmark, the first model's score and what share of it the others
/// have.
final class EvaluationTable {
    /// NVIDIA's scores in the order of the benchmarks: arXiv 2408.11796, table 1 ("LLM Pruning and
    /// Distillation in Practice: The Minitron Approach").
    private static final Map<String, Map<String, Double>> PUBLISHED = published();

    private final List<Benchmark> benchmarks;
    private final Map<String, List<TaskResult>> results;
    private final boolean withPublished;

    EvaluationTable(
            List<Benchmark> benchmarks,
            Map<String, List<TaskResult>> results,
            boolean withPublished) {
        this.benchmarks = benchmarks;
        this.results = results;
        this.withPublished = withPublished;
    }

    void print() {
        List<String> models = List.copyOf(results.keySet());
        for (int i = 0; i < models.size(); i++) {
            System.out.printf("%s: %s%n", letter(i), models.get(i));
        }
        System.out.println();
        StringBuilder head =
                new StringBuilder(
                        String.format(
                                "%-22s %-12s %5s %6s", "score, %", "metric", "shots", "items"));
        for (int i = 0; i < models.size(); i++) {
            head.append(String.format("%16s", letter(i)));
            head.append(i > 0 ? String.format("%8s", "kept") : "");
        }
        System.out.println(head.append(String.format("%9s", "chance")));
        benchmarks.forEach(this::row);
        if (withPublished) {
            printPublished();
        }
        System.out.println();
        System.out.printf(
                "Behind each score its standard error. %s%n",
                models.size() > 1 ? "kept: share of " + letter(0) + "'s score." : "");
        speed();
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
        System.out.println(row.append(String.format(Locale.ROOT, "%9.1f", 100 * chance)));
    }

    private static String metric(Task task) {
        String metric = task.headline();
        return metric.endsWith(",none")
                ? metric.substring(0, metric.indexOf(','))
                : metric.substring(metric.indexOf(',') + 1);
    }

    private void printPublished() {
        System.out.println();
        System.out.printf(
                "%-22s%s%n",
                "published by NVIDIA",
                String.join(
                        "",
                        PUBLISHED.keySet().stream().map(m -> String.format("%24s", m)).toList()));
        for (Benchmark benchmark : benchmarks) {
            List<String> cells = new ArrayList<>();
            for (Map<String, Double> scores : PUBLISHED.values()) {
                Double score = scores.get(benchmark.name());
                if (score != null) {
                    cells.add(String.format(Locale.ROOT, "%24.1f", score));
                }
            }
            if (!cells.isEmpty()) {
                System.out.printf("%-22s%s%n", benchmark.name(), String.join("", cells));
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
            System.out.println("All of it was kept from before.");
            return;
        }
        System.out.printf(
                Locale.ROOT,
                "%,d requests of %,d tokens in %s: %,.1f requests/s, %,.0f tokens/s.%n",
                requests,
                tokens,
                ConsoleProgress.time(seconds),
                requests / seconds,
                tokens / seconds);
    }

    private static Map<String, Map<String, Double>> published() {
        List<String> names =
                List.of(
                        "winogrande",
                        "arc_challenge",
                        "mmlu",
                        "hellaswag",
                        "gsm8k",
                        "truthfulqa_mc2",
                        "xlsum_en",
                        "mbpp",
                        "humaneval");
        Map<String, double[]> rows = new LinkedHashMap<>();
        rows.put(
                "NeMo 12B (teacher)",
                new double[] {82.2, 65.1, 69.0, 85.2, 56.4, 49.8, 33.4, 42.6, 23.8});
        rows.put(
                "NeMo-Minitron 8B",
                new double[] {80.4, 64.4, 69.5, 83.0, 58.5, 47.6, 32.0, 43.8, 36.2});
        rows.put(
                "Llama 3.1 8B",
                new double[] {77.3, 57.9, 65.3, 81.8, 48.6, 45.0, 30.0, 42.3, 24.8});
        Map<String, Map<String, Double>> published = new LinkedHashMap<>();
        rows.forEach((model, scores) -> {
            Map<String, Double> byName = new LinkedHashMap<>();
            for (int i = 0; i < scores.length; i++) {
                byName.put(names.get(i), scores[i]);
            }
            published.put(model, byName);
        });
        return published;
    }
}
