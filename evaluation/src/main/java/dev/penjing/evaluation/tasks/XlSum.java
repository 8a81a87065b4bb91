package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.GenerationSettings;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.metrics.Rouge;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// XL-Sum's English part (Hasan et al. 2021): news articles to a sentence. No harness defines this
/// task, and what NVIDIA used ("XLSum en (20%)", 3 shots) is unpublished, so this is **our own
/// definition**: the first fifth of the test split (2,307 items), the first three articles of the
/// training split as shots, greedy, at most 128 tokens up to an empty line, ROUGE as [Rouge] says.
record XlSum() implements Task.Writing {
    private static final TaskInfo INFO =
            new TaskInfo(
                    "xlsum_en",
                    "1 of Penjing",
                    new DataSet("xlsum", "csebuetnlp/xlsum", Optional.of("english")),
                    "test",
                    "train",
                    TaskInfo.ShotOrder.FIRST,
                    3,
                    "rougeL,none");

    @Override
    public TaskInfo info() {
        return INFO;
    }

    @Override
    public int asked(int items) {
        return Math.ceilDiv(items, 5);
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        return new TaskItem.Free(
                "Article: " + fields.text("text") + "\nSummary:", fields.text("summary"));
    }

    @Override
    public GenerationSettings generation() {
        return GenerationSettings.greedy(List.of("\n\n", "\nArticle:"), 128);
    }

    @Override
    public Map<String, Double> judge(TaskItem item, List<String> texts) {
        List<String> written = Rouge.tokens(texts.getFirst());
        List<String> expected = Rouge.tokens(item.answer());
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("rouge1,none", Rouge.n(expected, written, 1));
        scores.put("rouge2,none", Rouge.n(expected, written, 2));
        scores.put("rougeL,none", Rouge.longest(expected, written));
        return scores;
    }
}
