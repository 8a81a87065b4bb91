package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.GenerationSettings;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Questions with choices from a file of one's own: `task`, `context`, `choices` and the index
/// `answer`. Likelihoods are divided by the bytes of the choice.
///
/// @param name the `task` of the file's lines that belong to it
record OwnQuestions(String name) implements Task.Choosing {
    private static TaskInfo info(String task, String headline) {
        return new TaskInfo(
                task,
                "1 of Penjing",
                new DataSet("items", "", Optional.of(task)),
                "test",
                "test",
                TaskInfo.ShotOrder.FIRST,
                0,
                headline);
    }

    @Override
    public TaskInfo info() {
        return info(name, "acc_bytes,none");
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name, json);
        List<String> choices = fields.texts("choices");
        int right = fields.index(fields.number("answer"), choices.size(), "answer");
        return new TaskItem.Choices(fields.text("context"), choices, List.of(right));
    }

    @Override
    public Map<String, Double> judge(TaskItem item, double[] logLikelihoods) {
        return Map.of(
                "acc,none",
                Verdicts.likeliest(logLikelihoods, item),
                "acc_bytes,none",
                Verdicts.likeliestByLength(
                        logLikelihoods, (TaskItem.Choices) item, Verdicts.BYTES));
    }

    /// Questions whose answer, one line, is written: `task`, `context` and the text `answer`.
    record Written(String name) implements Task.Writing {
        private static final int LONGEST = 24;

        @Override
        public TaskInfo info() {
            return OwnQuestions.info(name, "exact_match,none");
        }

        @Override
        public TaskItem read(JsonNode json) {
            ItemFields fields = new ItemFields(name, json);
            return new TaskItem.Free(fields.text("context"), fields.text("answer"));
        }

        @Override
        public GenerationSettings generation() {
            return GenerationSettings.greedy(List.of("\n"), LONGEST).endedBySpecial();
        }

        @Override
        public Map<String, Double> judge(TaskItem item, List<String> texts) {
            boolean same = PythonText.strip(texts.getFirst()).equals(item.answer());
            return Map.of("exact_match,none", same ? 1.0 : 0.0);
        }
    }
}
