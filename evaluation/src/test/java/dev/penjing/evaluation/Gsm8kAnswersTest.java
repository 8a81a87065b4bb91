package dev.penjing.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.evaluation.tasks.Benchmarks;
import dev.penjing.evaluation.tasks.CodeBenchmarkSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// GSM8K's two ways to find the number, on answers that somebody might write: what
/// lm-evaluation-harness 0.4.13 makes of them.
class Gsm8kAnswersTest {
    @Test
    void sameVerdicts() throws IOException {
        Task.Writing gsm8k =
                (Task.Writing)
                        Benchmarks.of(
                                        "gsm8k",
                                        CodeBenchmarkSettings.usual(() -> {
                                            throw new AssertionError();
                                        }))
                                .getFirst()
                                .tasks()
                                .getFirst();
        JsonMapper json = JsonMapper.builder().build();
        int answers = 0;
        for (String line :
                Files.readAllLines(Path.of("src/test/resources/golden/gsm8k_answers.jsonl"))) {
            JsonNode one = json.readTree(line);
            TaskItem item = new TaskItem.Free("", one.path("gold").asString());
            assertThat(gsm8k.judge(item, List.of(one.path("answer").asString())))
                    .as(line)
                    .containsEntry(
                            "exact_match,strict-match",
                            one.at("/exact_match/strict-match").asDouble())
                    .containsEntry(
                            "exact_match,flexible-extract",
                            one.at("/exact_match/flexible-extract").asDouble());
            answers++;
        }
        assertThat(answers).isGreaterThan(20);
    }
}
