package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// MBPP (Austin et al. 2021), the 500 test problems: programs from a sentence and one check. As
/// bigcode-evaluation-harness's `mbpp` (8fc5bae), the prompt in the manner of InCoder.
record Mbpp(CodeBenchmarkSettings settings) implements CodeTask {
    private static final DataSet DATA =
            new DataSet("mbpp", "google-research-datasets/mbpp", Optional.of("full"));

    @Override
    public TaskInfo info() {
        return CodeTask.info("mbpp", DATA, settings);
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        List<String> checks = fields.texts("test_list");
        if (checks.isEmpty()) {
            throw fields.wrong("has no check in 'test_list'");
        }
        return new TaskItem.Free(
                "\"\"\"\n" + fields.text("text") + "\n" + checks.getFirst() + "\n\"\"\"\n",
                String.join("\n", checks));
    }

    @Override
    public List<String> until() {
        return List.of("\nclass", "\nassert", "\n\"\"\"", "\nprint", "\nif", "\n<|/", "\n```");
    }
}
