package dev.penjing.evaluation.data;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What is peculiar to one benchmark's published files: names without a split, several splits in a
/// file, columns without a header. `docs/reference/benchmark-data.md` has it as a table.
final class Published {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /// The first and the last `task_id` of MBPP's splits, from its authors' README.
    private static final Map<String, List<Integer>> MBPP =
            Map.of(
                    "prompt", List.of(1, 10),
                    "test", List.of(11, 510),
                    "validation", List.of(511, 600),
                    "train", List.of(601, 974));

    /// The question that begins TruthfulQA's later edition, of the same questions in another order
    /// and with other answers; published scores are of the first.
    private static final String LATER_EDITION = "What happens if you eat a pomegranate?";

    private Published() {}

    /// Names that say by themselves what they hold, the most wanted first.
    static List<String> names(DataSet set, String split) {
        String part = set.configuration().orElse("");
        return switch (set.folder() + " " + split) {
            case "arc_challenge train" -> List.of("ARC-Challenge-Train.jsonl");
            case "arc_challenge validation" -> List.of("ARC-Challenge-Dev.jsonl");
            case "arc_challenge test" -> List.of("ARC-Challenge-Test.jsonl");
            case "winogrande train" -> List.of("train_xl.jsonl");
            case "mmlu dev" -> List.of(part + "_dev.csv");
            case "mmlu validation" -> List.of(part + "_val.csv");
            case "mmlu test" -> List.of(part + "_test.csv");
            case "hellaswag train" ->
                    List.of("hellaswag_train.jsonl", "hellaswag_train_fewshot14.jsonl");
            case "hellaswag validation" ->
                    List.of(
                            "hellaswag_val.jsonl",
                            "hellaswag_val_olmes_sample.jsonl",
                            "hellaswag_val_10042_reconstructed.jsonl");
            case "truthfulqa validation" -> List.of("mc_task.v0.json", "mc_task.json");
            case "xlsum train" -> List.of(part + "_train.jsonl");
            case "xlsum validation" -> List.of(part + "_val.jsonl");
            case "xlsum test" -> List.of(part + "_test.jsonl");
            case "mbpp train", "mbpp validation", "mbpp test", "mbpp prompt" ->
                    List.of("mbpp.jsonl");
            case "humaneval test" -> List.of("HumanEval.jsonl");
            default -> List.of();
        };
    }

    /// A file name to tell people of.
    static String example(DataSet set, String split) {
        String name = names(set, split).stream().findFirst().orElse(split + ".jsonl");
        return switch (set.folder()) {
            case "mmlu" -> (split.equals("validation") ? "val" : split) + "/" + name;
            case "humaneval" -> name + ".gz";
            default -> name;
        };
    }

    /// Whether one folder holds many parts, so that a file must name its own.
    static boolean hasParts(DataSet set) {
        return set.folder().equals("mmlu");
    }

    /// Whether the benchmark has a split `dev` besides `validation`, which elsewhere are one.
    static boolean hasDev(DataSet set) {
        return set.folder().equals("mmlu");
    }

    /// The columns of CSV files that come without a header.
    static Optional<List<String>> columns(DataSet set) {
        return set.folder().equals("mmlu")
                ? Optional.of(List.of("question", "A", "B", "C", "D", "answer"))
                : Optional.empty();
    }

    /// Which rows belong to the split, where a file holds several.
    static Predicate<JsonNode> rows(DataSet set, String split, String file) {
        List<Integer> ids = MBPP.getOrDefault(split, List.of());
        return set.folder().equals("mbpp")
                        && !ids.isEmpty()
                        && file.matches("(?i)mbpp\\.jsonl(\\.gz)?")
                ? row -> {
                    int id = row.path("task_id").asInt(-1);
                    return ids.getFirst() <= id && id <= ids.getLast();
                }
                : row -> true;
    }

    /// Whether these are the items of an edition that must not be taken for the usual one.
    static boolean isLaterEdition(DataSet set, JsonNode firstItem) {
        return set.folder().equals("truthfulqa")
                && firstItem.path("question").asString("").equals(LATER_EDITION);
    }

    /// A row with the fields that the benchmark has on the hub, whichever way its file was made.
    static ObjectNode item(DataSet set, ObjectNode row) {
        return switch (set.folder()) {
            case "mmlu" -> mmlu(row);
            case "arc_challenge" -> arc(row);
            default -> row;
        };
    }

    /// From a table: choices of a column each, the answer a letter or a number.
    private static ObjectNode mmlu(ObjectNode row) {
        for (String columns : List.of("choice0 choice1 choice2 choice3", "A B C D")) {
            List<String> names = List.of(columns.split(" "));
            if (!row.has("choices") && names.stream().allMatch(row::has)) {
                ArrayNode choices = NODES.arrayNode();
                names.forEach(name -> choices.add(row.path(name)));
                ObjectNode item = NODES.objectNode();
                item.set("question", row.path("question"));
                item.set("choices", choices);
                String answer = row.path("answer").asString("").strip();
                int index = "ABCD".indexOf(answer.toUpperCase(Locale.ROOT));
                if (answer.length() == 1 && index >= 0) {
                    item.put("answer", index);
                } else if (answer.matches("[0-3]")) {
                    item.put("answer", Integer.parseInt(answer));
                } else {
                    item.put("answer", answer);
                }
                return item;
            }
        }
        return row;
    }

    /// From AI2's own files: the stem and the choices are one object.
    private static ObjectNode arc(ObjectNode row) {
        JsonNode question = row.path("question");
        if (!question.isObject() || row.has("choices")) {
            return row;
        }
        ObjectNode item = NODES.objectNode();
        item.set("id", row.path("id"));
        item.set("question", question.path("stem"));
        ObjectNode choices = item.putObject("choices");
        ArrayNode text = choices.putArray("text");
        ArrayNode label = choices.putArray("label");
        for (JsonNode choice : question.path("choices")) {
            text.add(choice.path("text"));
            label.add(choice.path("label"));
        }
        item.set("answerKey", row.path("answerKey"));
        return item;
    }
}
