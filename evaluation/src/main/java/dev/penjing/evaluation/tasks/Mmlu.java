package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import dev.penjing.evaluation.python.PythonText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Massive Multitask Language Understanding (Hendrycks et al. 2021), one of its 57 subjects: four
/// choices, the letter is scored. As lm-evaluation-harness 0.4.13's `mmlu_SUBJECT`, 1.0.
///
/// @param subject such as `abstract_algebra`
record Mmlu(String subject) implements Task.Choosing {
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");

    /// The subjects, by group.
    static final Map<String, List<String>> GROUPS = groups();

    @Override
    public TaskInfo info() {
        return new TaskInfo(
                "mmlu_" + subject,
                TaskInfo.ofHarness("1.0"),
                new DataSet("mmlu", "cais/mmlu", Optional.of(subject)),
                "test",
                "dev",
                TaskInfo.ShotOrder.FIRST,
                5,
                "acc,none");
    }

    @Override
    public String description() {
        return "The following are multiple choice questions (with answers) about "
                + subject.replace('_', ' ')
                + ".\n\n";
    }

    /// Reads `choices` and the answer as index (the hub's files), `choice0` to `choice3` and an
    /// index, or `A` to `D` and a letter (the authors' files).
    @Override
    public TaskItem read(JsonNode json) {
        ItemFields fields = new ItemFields(name(), json);
        List<String> choices = new ArrayList<>();
        if (fields.has("choices")) {
            choices.addAll(fields.texts("choices"));
        } else {
            for (int i = 0; i < LETTERS.size(); i++) {
                choices.add(fields.text(fields.has("choice0") ? "choice" + i : LETTERS.get(i)));
            }
        }
        if (choices.size() != LETTERS.size()) {
            throw fields.wrong("has not four choices");
        }
        int letter = LETTERS.indexOf(fields.node("answer").asString(""));
        int right = letter >= 0 ? letter : fields.number("answer");
        StringBuilder question = new StringBuilder(PythonText.strip(fields.text("question")));
        for (int i = 0; i < LETTERS.size(); i++) {
            question.append('\n').append(LETTERS.get(i)).append(". ").append(choices.get(i));
        }
        return new TaskItem.Choices(
                question.append("\nAnswer:").toString(),
                LETTERS,
                List.of(fields.index(right, LETTERS.size(), "answer")));
    }

    @Override
    public Map<String, Double> judge(TaskItem item, double[] logLikelihoods) {
        return Map.of("acc,none", Verdicts.likeliest(logLikelihoods, item));
    }

    private static Map<String, List<String>> groups() {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        groups.put(
                "mmlu_humanities",
                words(
                        """
                        formal_logic high_school_european_history high_school_us_history
                        high_school_world_history international_law jurisprudence logical_fallacies
                        moral_disputes moral_scenarios philosophy prehistory professional_law
                        world_religions\
                        """));
        groups.put(
                "mmlu_social_sciences",
                words(
                        """
                        econometrics high_school_geography high_school_government_and_politics
                        high_school_macroeconomics high_school_microeconomics high_school_psychology
                        human_sexuality professional_psychology public_relations security_studies
                        sociology us_foreign_policy\
                        """));
        groups.put(
                "mmlu_other",
                words(
                        """
                        business_ethics clinical_knowledge college_medicine global_facts human_aging
                        management marketing medical_genetics miscellaneous nutrition
                        professional_accounting professional_medicine virology\
                        """));
        groups.put(
                "mmlu_stem",
                words(
                        """
                        abstract_algebra anatomy astronomy college_biology college_chemistry
                        college_computer_science college_mathematics college_physics
                        computer_security conceptual_physics electrical_engineering
                        elementary_mathematics high_school_biology high_school_chemistry
                        high_school_computer_science high_school_mathematics high_school_physics
                        high_school_statistics machine_learning\
                        """));
        return groups;
    }

    private static List<String> words(String text) {
        return List.of(text.split("\\s+"));
    }
}
