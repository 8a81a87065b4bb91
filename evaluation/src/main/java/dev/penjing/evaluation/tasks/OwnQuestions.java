package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.PythonText;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Questions with choices from a file of one's own: `task`, `context`, `choices` and the index
/// `answer`. Likelihoods are divided by the bytes of the choice.
///
/// @param name the `task` of the file's lines that belong to it
record OwnQuestions(String name) implements Task.Choosing {
    static final String VERSION = "1 of Penjing";

    static Source source(String task) {
        return new Source(
                new DataSet("items", "", Optional.of(task)),
                "test",
                "test",
                Order.DRAWN_WITH_SPARE);
    }

    @Override
    public String version() {
        return VERSION;
    }

    @Override
    public Source source() {
        return source(name);
    }

    @Override
    public int shots() {
        return 0;
    }

    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name, json);
        List<String> choices = fields.texts("choices");
        int right = fields.index(fields.number("answer"), choices.size(), "answer");
        return new Item.Choices(fields.text("context"), choices, List.of(right));
    }

    @Override
    public String headline() {
        return "acc_bytes,none";
    }

    @Override
    public Map<String, Double> judge(Item item, double[] logLikelihoods) {
        return Map.of(
                "acc,none",
                Verdicts.likeliest(logLikelihoods, item),
                "acc_bytes,none",
                Verdicts.likeliestByLength(logLikelihoods, (Item.Choices) item, Verdicts.BYTES));
    }

    /// Questions whose answer, one line, is written: `task`, `context` and the text `answer`.
    record Written(String name) implements Task.Writing {
        private static final int LONGEST = 24;

        @Override
        public String version() {
            return VERSION;
        }

        @Override
        public Source source() {
            return OwnQuestions.source(name);
        }

        @Override
        public int shots() {
            return 0;
        }

        @Override
        public Item read(JsonNode json) {
            Fields fields = new Fields(name, json);
            return new Item.Free(fields.text("context"), fields.text("answer"));
        }

        @Override
        public Generation generation() {
            return Generation.greedy(List.of("\n"), LONGEST).endedBySpecial();
        }

        @Override
        public String headline() {
            return "exact_match,none";
        }

        @Override
        public Map<String, Double> judge(Item item, List<String> texts) {
            boolean same = PythonText.strip(texts.getFirst()).equals(item.answer());
            return Map.of("exact_match,none", same ? 1.0 : 0.0);
        }
    }
}
