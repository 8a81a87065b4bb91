package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// HellaSwag (Zellers et al. 2019): how a scene goes on. As lm-evaluation-harness 0.4.13's
/// `hellaswag`, 1.0.
record HellaSwag() implements Task.Choosing {
    private static final TaskInfo INFO =
            new TaskInfo(
                    "hellaswag",
                    TaskInfo.ofHarness("1.0"),
                    new DataSet("hellaswag", "Rowan/hellaswag", Optional.empty()),
                    "validation",
                    "train",
                    TaskInfo.ShotOrder.DRAWN_WITH_SPARE,
                    10,
                    "acc_norm,none");

    private static final Pattern TAG = Pattern.compile("\\[.*?\\]", Pattern.UNIX_LINES);

    @Override
    public TaskInfo info() {
        return INFO;
    }

    /// Reads the published fields, or `query`, `choices` and `gold` where they have been made of
    /// these already.
    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        if (fields.has("query")) {
            List<String> choices = fields.texts("choices");
            int gold = fields.index(fields.number("gold"), choices.size(), "gold");
            return new TaskItem.Choices(fields.text("query"), choices, List.of(gold));
        }
        String scene =
                fields.text("activity_label")
                        + ": "
                        + fields.text("ctx_a")
                        + " "
                        + PythonText.capitalize(fields.text("ctx_b"));
        List<String> endings = fields.texts("endings").stream().map(HellaSwag::clean).toList();
        int right = fields.index(fields.number("label"), endings.size(), "label");
        return new TaskItem.Choices(clean(scene), endings, List.of(right));
    }

    /// Takes WikiHow's tags out. An ending that began with one keeps the blank behind it, and only
    /// pairs of blanks become one: both as in the harness.
    private static String clean(String text) {
        String plain = PythonText.strip(text).replace(" [title]", ". ");
        return TAG.matcher(plain).replaceAll("").replace("  ", " ");
    }

    @Override
    public Map<String, Double> judge(TaskItem item, double[] logLikelihoods) {
        return Verdicts.withAndWithoutLength(logLikelihoods, item);
    }
}
