package dev.penjing.evaluation.report;

import dev.penjing.evaluation.Benchmark;
import dev.penjing.evaluation.TaskResult;
import dev.penjing.evaluation.metrics.Score;
import java.util.List;
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
            versions.put(name, result.task().info().version());
            shots.put(name, result.shots());
            samples.putObject(name)
                    .put("original", result.available())
                    .put("effective", result.headline().items());
            speed.putObject(name)
                    .put("seconds", result.seconds())
                    .put("requests", result.requests())
                    .put("tokens", result.tokens());
        }
        for (Benchmark benchmark : benchmarks) {
            benchmark
                    .means(results)
                    .forEach((name, scores) -> {
                        ObjectNode entry = JSON.createObjectNode().put("alias", name);
                        scores.forEach((metric, score) -> put(entry, metric, score));
                        all.set(name, entry);
                        groups.set(name, entry.deepCopy());
                    });
        }
        if (!groups.isEmpty()) {
            json.set("groups", groups);
        }
        return json;
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
