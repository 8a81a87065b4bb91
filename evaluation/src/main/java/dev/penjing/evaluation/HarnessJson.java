package dev.penjing.evaluation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Results as lm-evaluation-harness 0.4.13 writes them, so that programs which read those read
/// these: `results.TASK."METRIC,FILTER"`, with `_stderr` behind the metric's name.
public final class HarnessJson {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private HarnessJson() {}

    public static ObjectNode of(List<Benchmark> benchmarks, List<TaskResult> results) {
        ObjectNode json = JSON.createObjectNode();
        ObjectNode all = json.putObject("results");
        ObjectNode groups = JSON.createObjectNode();
        ObjectNode versions = json.putObject("versions");
        ObjectNode shots = json.putObject("n-shot");
        ObjectNode samples = json.putObject("n-samples");
        ObjectNode speed = json.putObject("speed");
        for (TaskResult result : results) {
            String name = result.task().name();
            ObjectNode entry = all.putObject(name);
            entry.put("alias", name);
            result.scores().forEach((metric, score) -> put(entry, metric, score));
            versions.put(name, result.task().version());
            shots.put(name, result.shots());
            samples.putObject(name)
                    .put("original", result.available())
                    .put("effective", result.headline().items());
            speed.putObject(name)
                    .put("seconds", result.seconds())
                    .put("requests", result.requests())
                    .put("tokens", result.tokens());
        }
        for (Map.Entry<String, Map<String, Score>> group : groups(benchmarks, results)) {
            ObjectNode entry = JSON.createObjectNode().put("alias", group.getKey());
            group.getValue().forEach((metric, score) -> put(entry, metric, score));
            all.set(group.getKey(), entry);
            groups.set(group.getKey(), entry.deepCopy());
        }
        if (!groups.isEmpty()) {
            json.set("groups", groups);
        }
        return json;
    }

    /// The scores of benchmarks of several tasks, and of their groups, by name.
    public static List<Map.Entry<String, Map<String, Score>>> groups(
            List<Benchmark> benchmarks, List<TaskResult> results) {
        Map<String, TaskResult> byName = new HashMap<>();
        results.forEach(result -> byName.put(result.task().name(), result));
        List<Map.Entry<String, Map<String, Score>>> groups = new ArrayList<>();
        for (Benchmark benchmark : benchmarks) {
            if (benchmark.tasks().size() == 1) {
                continue;
            }
            groups.add(Map.entry(benchmark.name(), pooled(benchmark.tasks(), byName)));
            benchmark
                    .groups()
                    .forEach((name, tasks) -> groups.add(Map.entry(name, pooled(tasks, byName))));
        }
        return groups;
    }

    private static Map<String, Score> pooled(List<Task> tasks, Map<String, TaskResult> byName) {
        Map<String, List<Score>> parts = new HashMap<>();
        for (Task task : tasks) {
            TaskResult result = byName.get(task.name());
            if (result == null) {
                throw new IllegalArgumentException("no result of " + task.name());
            }
            result.scores()
                    .forEach((metric, score) ->
                            parts.computeIfAbsent(metric, m -> new ArrayList<>()).add(score));
        }
        Map<String, Score> scores = new HashMap<>();
        parts.forEach((metric, all) -> scores.put(metric, Score.pooled(all)));
        return scores;
    }

    private static void put(ObjectNode entry, String metric, Score score) {
        entry.put(metric, score.value());
        String error = metric.replaceFirst(",|$", "_stderr$0");
        if (Double.isFinite(score.error())) {
            entry.put(error, score.error());
        } else {
            entry.put(error, "N/A");
        }
    }
}
