package dev.penjing.evaluation;

import dev.penjing.evaluation.metrics.Score;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What is named on the command line: a task, or several that are reported together as the mean
/// over all their items.
///
/// @param groups further means of some of the tasks, by name
public record Benchmark(String name, List<Task> tasks, Map<String, List<Task>> groups) {
    public static Benchmark of(Task task) {
        return new Benchmark(task.name(), List.of(task), Map.of());
    }

    /// The score that it is usually reported by: the mean over the items of all its tasks.
    ///
    /// @param results of all its tasks, and perhaps of others
    public Score headline(List<TaskResult> results) {
        return mean(own(results), tasks.getFirst().info().headline());
    }

    /// What guessing scores.
    public double chance(List<TaskResult> results) {
        double sum = 0;
        long items = 0;
        for (TaskResult result : own(results)) {
            sum += result.chance() * result.headline().items();
            items += result.headline().items();
        }
        return sum / items;
    }

    /// The results of its tasks.
    ///
    /// @throws IllegalArgumentException if there is none
    public List<TaskResult> own(List<TaskResult> results) {
        return own(tasks, results);
    }

    /// Means of all tasks, and of the groups of some, by name and by `metric,filter`; nothing for a
    /// benchmark of one task.
    public Map<String, Map<String, Score>> means(List<TaskResult> results) {
        Map<String, Map<String, Score>> means = new LinkedHashMap<>();
        if (tasks.size() > 1) {
            means.put(name, meansOf(own(results)));
            groups.forEach((group, some) -> means.put(group, meansOf(own(some, results))));
        }
        return means;
    }

    private static List<TaskResult> own(List<Task> tasks, List<TaskResult> results) {
        List<TaskResult> own =
                results.stream().filter(result -> tasks.contains(result.task())).toList();
        if (own.isEmpty()) {
            throw new IllegalArgumentException("no results of " + tasks);
        }
        return own;
    }

    private static Map<String, Score> meansOf(List<TaskResult> results) {
        Map<String, Score> means = new LinkedHashMap<>();
        for (String metric : results.getFirst().scores().keySet()) {
            means.put(metric, mean(results, metric));
        }
        return means;
    }

    private static Score mean(List<TaskResult> results, String metric) {
        List<Score> scores = results.stream().map(result -> result.score(metric)).toList();
        return scores.size() == 1 ? scores.getFirst() : Score.pooled(scores);
    }
}
