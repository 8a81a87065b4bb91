package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.PythonText;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// HumanEval (Chen et al. 2021): functions from their description. As bigcode-evaluation-harness's
/// `humaneval` (8fc5bae): the prompt without blanks around it, the text cut where a new definition
/// begins.
record HumanEval(Programs programs) implements Task.Writing {
    private static final List<String> UNTIL =
            List.of("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```", "<file_sep>");

    @Override
    public String name() {
        return "humaneval";
    }

    @Override
    public String version() {
        return "humaneval of bigcode-evaluation-harness";
    }

    @Override
    public Source source() {
        return new Source(
                new DataSet("humaneval", "openai/openai_humaneval", Optional.empty()),
                "test",
                "test",
                Order.DRAWN_WITH_SPARE);
    }

    @Override
    public int shots() {
        return 0;
    }

    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name(), json);
        return new Item.Free(
                PythonText.strip(fields.text("prompt")),
                "\n" + fields.text("test") + "\n" + "check(" + fields.text("entry_point") + ")");
    }

    @Override
    public Generation generation() {
        return programs.generation(UNTIL);
    }

    @Override
    public String headline() {
        return Programs.key(programs.passAt().getFirst());
    }

    @Override
    public Map<String, Double> judge(Item item, List<String> texts) {
        return programs.judge(
                texts.stream().map(text -> item.question() + text + "\n" + item.answer()).toList());
    }
}
