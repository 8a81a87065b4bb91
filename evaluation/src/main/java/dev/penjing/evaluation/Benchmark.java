package dev.penjing.evaluation;

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
}
