package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.Rouge;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
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
    @Override
    public String name() {
        return "xlsum_en";
    }

    @Override
    public String version() {
        return "1 of Penjing";
    }

    @Override
    public Source source() {
        return new Source(
                new DataSet("xlsum", "csebuetnlp/xlsum", Optional.of("english")),
                "test",
                "train",
                Order.FIRST);
    }

    @Override
    public int shots() {
        return 3;
    }

    @Override
    public int asked(int items) {
        return Math.ceilDiv(items, 5);
    }

    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name(), json);
        return new Item.Free(
                "Article: " + fields.text("text") + "\nSummary:", fields.text("summary"));
    }

    @Override
    public Generation generation() {
        return Generation.greedy(List.of("\n\n", "\nArticle:"), 128);
    }

    @Override
    public String headline() {
        return "rougeL,none";
    }

    @Override
    public Map<String, Double> judge(Item item, List<String> texts) {
        List<String> written = Rouge.tokens(texts.getFirst());
        List<String> expected = Rouge.tokens(item.answer());
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("rouge1,none", Rouge.n(expected, written, 1));
        scores.put("rouge2,none", Rouge.n(expected, written, 2));
        scores.put("rougeL,none", Rouge.longest(expected, written));
        return scores;
    }
}
