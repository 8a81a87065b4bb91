package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The AI2 Reasoning Challenge, the hard part (Clark et al. 2018): school science, three to five
/// choices. As lm-evaluation-harness 0.4.13's `arc_challenge`, 1.0.
record ArcChallenge() implements Task.Choosing {
    private static final TaskInfo INFO =
            new TaskInfo(
                    "arc_challenge",
                    TaskInfo.ofHarness("1.0"),
                    new DataSet("arc_challenge", "allenai/ai2_arc", Optional.of("ARC-Challenge")),
                    "test",
                    "train",
                    TaskInfo.ShotOrder.DRAWN,
                    25,
                    "acc_norm,none");

    @Override
    public TaskInfo info() {
        return INFO;
    }

    /// Reads `choices` as published (`text` and `label`, the answer by its label, which may be a
    /// letter or a number), or as a plain list with the answer's index under `gold`.
    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        JsonNode published = fields.node("choices");
        List<String> choices =
                fields.texts(published.isArray() ? published : published.path("text"), "choices");
        int right =
                fields.has("answerKey")
                        ? fields.texts(published.path("label"), "choices")
                                .indexOf(fields.text("answerKey"))
                        : fields.number("gold");
        return new TaskItem.Choices(
                "Question: " + fields.text("question") + "\nAnswer:",
                choices,
                List.of(fields.index(right, choices.size(), "answerKey")));
    }

    @Override
    public Map<String, Double> judge(TaskItem item, double[] logLikelihoods) {
        return Verdicts.withAndWithoutLength(logLikelihoods, item);
    }
}
