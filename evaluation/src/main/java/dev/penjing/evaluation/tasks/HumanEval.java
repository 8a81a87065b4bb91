package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// HumanEval (Chen et al. 2021): functions from their description. As bigcode-evaluation-harness's
/// `humaneval` (8fc5bae): the prompt without blanks around it, the text cut where a new definition
/// begins.
record HumanEval(CodeBenchmarkSettings settings) implements CodeTask {
    private static final DataSet DATA =
            new DataSet("humaneval", "openai/openai_humaneval", Optional.empty());

    @Override
    public TaskInfo info() {
        return CodeTask.info("humaneval", DATA, settings);
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        return new TaskItem.Free(
                PythonText.strip(fields.text("prompt")),
                "\n" + fields.text("test") + "\n" + "check(" + fields.text("entry_point") + ")");
    }

    @Override
    public List<String> until() {
        return List.of("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```", "<file_sep>");
    }
}
