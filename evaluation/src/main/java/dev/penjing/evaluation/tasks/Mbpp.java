package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// MBPP (Austin et al. 2021), the 500 test problems: programs from a sentence and one check. As
/// bigcode-evaluation-harness's `mbpp` (8fc5bae), the prompt in the manner of InCoder.
record Mbpp(Programs programs) implements Task.Writing {
    private static final List<String> UNTIL =
            List.of("\nclass", "\nassert", "\n\"\"\"", "\nprint", "\nif", "\n<|/", "\n```");

    @Override
    public String name() {
        return "mbpp";
    }

    @Override
    public String version() {
        return "mbpp of bigcode-evaluation-harness";
    }

    @Override
    public Source source() {
        return new Source(
                new DataSet("mbpp", "google-research-datasets/mbpp", Optional.of("full")),
                "test",
                "prompt",
                Order.FIRST);
    }

    @Override
    public int shots() {
        return 0;
    }

    @Override
    public Item read(JsonNode json) {
        Fields fields = new Fields(name(), json);
        List<String> checks = fields.texts("test_list");
        if (checks.isEmpty()) {
            throw fields.wrong("has no check in 'test_list'");
        }
        return new Item.Free(
                "\"\"\"\n" + fields.text("text") + "\n" + checks.getFirst() + "\n\"\"\"\n",
                String.join("\n", checks));
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
