package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The AI2 Reasoning Challenge, the hard part (Clark et al. 2018): school science, three to five
/// choices. As lm-evaluation-harness 0.4.13's `arc_challenge`, 1.0.
record ArcChallenge() implements Task.Choosing {
    @Override
    public String name() {
        return "arc_challenge";
    }

    @Override
    public String version() {
        return "1.0 of lm-evaluation-harness";
    }

    @Override
    public Source source() {
        return new Source(
                new DataSet("arc_challenge", "allenai/ai2_arc", Optional.of("ARC-Challenge")),
                "test",
                "train",
                Order.DRAWN);
    }

    @Override
    public int shots() {
        return 25;
    }

    /// Reads `choices` as published (`text` and `label`, the answer by its label, which may be a
    /// letter or a number), or as a plain list with the answer's index under `gold`.
    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name(), json);
        JsonNode published = fields.node("choices");
        List<String> choices =
                fields.texts(published.isArray() ? published : published.path("text"), "choices");
        int right =
                fields.has("answerKey")
                        ? fields.texts(published.path("label"), "choices")
                                .indexOf(fields.text("answerKey"))
                        : fields.number("gold");
        return new Item.Choices(
                "Question: " + fields.text("question") + "\nAnswer:",
                choices,
                List.of(fields.index(right, choices.size(), "answerKey")));
    }

    @Override
    public String headline() {
        return "acc_norm,none";
    }

    @Override
    public Map<String, Double> judge(Item item, double[] logLikelihoods) {
        return Verdicts.withAndWithoutLength(logLikelihoods, item);
    }
}
