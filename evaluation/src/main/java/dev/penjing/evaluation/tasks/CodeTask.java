package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.GenerationSettings;
import dev.penjing.evaluation.Task;
import dev.penjing.evaluation.TaskInfo;
import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.data.DataSet;
import java.util.List;
import java.util.Map;

/// A benchmark of Python programs: an item's prompt, what a model wrote behind it and the item's
/// checks are one program, which passes if it raises nothing. As bigcode-evaluation-harness
/// (8fc5bae) does.
interface CodeTask extends Task.Writing {
    CodeBenchmarkSettings settings();

    /// The written text is cut before the first of these.
    List<String> until();

    /// What the harness's benchmarks of programs have in common: no shots.
    static TaskInfo info(String name, DataSet data, CodeBenchmarkSettings settings) {
        return new TaskInfo(
                name,
                name + " of bigcode-evaluation-harness",
                data,
                "test",
                "test",
                TaskInfo.ShotOrder.FIRST,
                0,
                CodeBenchmarkSettings.metric(settings.passAt().getFirst()));
    }

    @Override
    default boolean runsPrograms() {
        return true;
    }

    @Override
    default GenerationSettings generation() {
        return settings().generation(until());
    }

    @Override
    default Map<String, Double> judge(TaskItem item, List<String> texts) {
        return settings()
                .judge(
                        texts.stream()
                                .map(text -> item.question() + text + "\n" + item.answer())
                                .toList());
    }
}
