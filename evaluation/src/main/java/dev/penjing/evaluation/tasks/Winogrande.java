package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.PythonText;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// WinoGrande (Sakaguchi et al. 2019), size xl: which of two names fits the gap. The rest of the
/// sentence is scored after each (partial scoring). As lm-evaluation-harness 0.4.13's `winogrande`,
/// 1.0.
record Winogrande() implements Task.Choosing {
    @Override
    public String name() {
        return "winogrande";
    }

    @Override
    public String version() {
        return "1.0 of lm-evaluation-harness";
    }

    @Override
    public Source source() {
        return new Source(
                new DataSet("winogrande", "allenai/winogrande", Optional.of("winogrande_xl")),
                "validation",
                "train",
                Order.DRAWN_WITH_SPARE);
    }

    @Override
    public int shots() {
        return 5;
    }

    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name(), json);
        String sentence = fields.text("sentence");
        int gap = sentence.indexOf('_');
        if (gap < 0) {
            throw fields.wrong("has a 'sentence' without a gap '_'");
        }
        String before = sentence.substring(0, gap);
        int right = fields.index(fields.number("answer") - 1, 2, "answer");
        return new Item.Contexts(
                List.of(before + fields.text("option1"), before + fields.text("option2")),
                PythonText.strip(sentence.substring(gap + 1)),
                right);
    }

    @Override
    public String headline() {
        return "acc,none";
    }

    @Override
    public Map<String, Double> judge(Item item, double[] logLikelihoods) {
        return Map.of("acc,none", Verdicts.likeliest(logLikelihoods, item));
    }
}
