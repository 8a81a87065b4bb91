package dev.penjing.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The table that a compression ends with.
final class ResultTable {
    private static final List<String> MODELS = List.of("teacher", "pruned", "distilled");

    private ResultTable() {}

    static void print(ObjectNode result, boolean json, Path run) {
        if (json) {
            Output.print(result);
            return;
        }
        line("", MODELS);
        count(result, "parameters", "parameters");
        count(result, "  not embedding", "non_embedding_parameters");
        count(result, "bytes (bfloat16)", "bytes");
        figure(result, "perplexity", "perplexity", "%.3f");
        figure(result, "bits per byte", "bits_per_byte", "%.4f");
        figure(result, "tokens/s, reading", "tokens_per_s", "%,.0f");
        JsonNode tasks = result.path("teacher").path("tasks");
        if (!tasks.isEmpty()) {
            System.out.println();
            line("score, %", List.of("teacher", "pruned", "distilled", "kept", "chance"));
            double[] sums = new double[4];
            for (Map.Entry<String, JsonNode> task : tasks.properties()) {
                double[] scores = {
                    score(result, "teacher", task.getKey()),
                    score(result, "pruned", task.getKey()),
                    score(result, "distilled", task.getKey()),
                    100 * result.path("chance").path(task.getKey()).asDouble()
                };
                row(task.getKey().replace('_', ' '), scores);
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += scores[i] / tasks.size();
                }
            }
            row("average", sums);
            System.out.println("kept: the student's share of the teacher's score");
        }
        System.out.println();
        System.out.printf(
                Locale.ROOT,
                "distilled on %,d tokens with %.3g floating-point operations%s; this run took %s, peak memory %.2f GB%n",
                result.path("tokens").asLong(),
                result.path("floating_point_operations").asDouble(),
                result.has("teacher_tokens")
                        ? String.format(
                                Locale.ROOT,
                                " (the teacher: %,d tokens, %.3g operations)",
                                result.path("teacher_tokens").asLong(),
                                result.path("teacher_floating_point_operations").asDouble())
                        : "",
                ConsoleProgress.time(result.path("seconds").asDouble()),
                result.path("peak_rss_bytes").asDouble() / 1e9);
        System.out.println("student: " + run.resolve("distilled"));
        System.out.println("report:  " + run.resolve("report.html"));
    }

    private static double score(ObjectNode result, String model, String task) {
        return 100 * result.path(model).path("tasks").path(task).asDouble();
    }

    /// @param scores of teacher, pruned and distilled, and chance
    private static void row(String name, double[] scores) {
        System.out.printf(
                Locale.ROOT,
                "%-20s%14.1f%14.1f%14.1f%14s%14.1f%n",
                name,
                scores[0],
                scores[1],
                scores[2],
                scores[0] > 0
                        ? String.format(Locale.ROOT, "%.1f %%", 100 * scores[2] / scores[0])
                        : "-",
                scores[3]);
    }

    private static void line(String name, List<String> cells) {
        StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-20s", name));
        cells.forEach(cell -> row.append(String.format(Locale.ROOT, "%14s", cell)));
        System.out.println(row);
    }

    private static void count(ObjectNode result, String name, String key) {
        figure(result, name, key, "%,.0f");
    }

    private static void figure(ObjectNode result, String name, String key, String format) {
        line(
                name,
                MODELS.stream()
                        .map(m ->
                                String.format(
                                        Locale.ROOT, format, result.path(m).path(key).asDouble()))
                        .toList());
    }
}
