package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.GenerationSettings;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// GSM8K (Cobbe et al. 2021): word problems, the number at the end of the written answer counts. As
/// lm-evaluation-harness 0.4.13's `gsm8k`, 3.0, with its two ways to find that number.
record Gsm8k() implements Task.Writing {
    private static final TaskInfo INFO =
            new TaskInfo(
                    "gsm8k",
                    TaskInfo.ofHarness("3.0"),
                    new DataSet("gsm8k", "openai/gsm8k", Optional.of("main")),
                    "test",
                    "train",
                    TaskInfo.ShotOrder.DRAWN,
                    5,
                    "exact_match,strict-match");

    private static final Pattern STRICT = Pattern.compile("#### (-?[0-9.,]+)");
    private static final Pattern FLEXIBLE = Pattern.compile("(-?[$0-9.,]{2,})|(-?[0-9]+)");
    private static final Pattern BEFORE_RESULT = Pattern.compile("(?s).*#### ");
    private static final Pattern FULL_STOP = Pattern.compile("\\.$", Pattern.UNIX_LINES);
    private static final String NONE = "[invalid]";

    @Override
    public TaskInfo info() {
        return INFO;
    }

    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        return new TaskItem.Free(
                "Question: " + fields.text("question") + "\nAnswer:", fields.text("answer"));
    }

    @Override
    public GenerationSettings generation() {
        return GenerationSettings.greedy(List.of("Question:", "</s>", "<|im_end|>"), 256);
    }

    @Override
    public Map<String, Double> judge(TaskItem item, List<String> texts) {
        String text = texts.getFirst();
        return Map.of(
                "exact_match,strict-match",
                same(strict(text), item.answer()),
                "exact_match,flexible-extract",
                same(flexible(text), item.answer()));
    }

    /// The number behind the first `####`.
    static String strict(String text) {
        Matcher matcher = STRICT.matcher(text);
        return matcher.find() ? PythonText.strip(matcher.group(1)) : NONE;
    }

    /// The last number.
    static String flexible(String text) {
        Matcher matcher = FLEXIBLE.matcher(text);
        String last = NONE;
        while (matcher.find()) {
            last = PythonText.strip(matcher.group());
        }
        return last;
    }

    private static double same(String written, String expected) {
        return plain(written).equals(plain(expected)) ? 1 : 0;
    }

    private static String plain(String text) {
        String number = text.replace(",", "").replace("$", "");
        number = BEFORE_RESULT.matcher(number).replaceAll("");
        return FULL_STOP.matcher(number).replaceAll("").toLowerCase(Locale.ROOT);
    }
}
