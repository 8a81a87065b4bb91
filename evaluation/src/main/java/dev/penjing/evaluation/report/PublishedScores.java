package dev.penjing.evaluation.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// NVIDIA's scores in percent, by model and benchmark: arXiv 2408.11796, table 1 ("LLM Pruning and
/// Distillation in Practice: The Minitron Approach").
final class PublishedScores {
    static final Map<String, Map<String, Double>> BY_MODEL = published();

    private PublishedScores() {}

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
