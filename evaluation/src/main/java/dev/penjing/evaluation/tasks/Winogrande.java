package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// WinoGrande (Sakaguchi et al. 2019), size xl: which of two names fits the gap. The rest of the
/// sentence is scored after each (partial scoring). As lm-evaluation-harness 0.4.13's `winogrande`,
/// 1.0.
record Winogrande() implements Task.Choosing {
    private static final TaskInfo INFO =
            new TaskInfo(
                    "winogrande",
                    TaskInfo.ofHarness("1.0"),
                    new DataSet("winogrande", "allenai/winogrande", Optional.of("winogrande_xl")),
                    "validation",
                    "train",
                    TaskInfo.ShotOrder.DRAWN_WITH_SPARE,
                    5,
                    "acc,none");

    @Override
    public TaskInfo info() {
        return INFO;
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        String sentence = fields.text("sentence");
        int gap = sentence.indexOf('_');
        if (gap < 0) {
            throw fields.wrong("has a 'sentence' without a gap '_'");
        }
        String before = sentence.substring(0, gap);
        int right = fields.index(fields.number("answer") - 1, 2, "answer");
        return new TaskItem.Contexts(
                List.of(before + fields.text("option1"), before + fields.text("option2")),
                PythonText.strip(sentence.substring(gap + 1)),
                right);
    }

    @Override
    public Map<String, Double> judge(TaskItem item, double[] logLikelihoods) {
        return Map.of("acc,none", Verdicts.likeliest(logLikelihoods, item));
    }
}
