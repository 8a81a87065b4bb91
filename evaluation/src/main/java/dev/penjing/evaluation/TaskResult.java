package dev.penjing.evaluation;

import dev.penjing.evaluation.metrics.Score;
import java.util.Map;

/// What a model reached in a task.
///
/// @param shots items shown before each
/// @param available items in the evaluated split
/// @param scores by `metric,filter`
/// @param chance what guessing scores in the task's headline
/// @param seconds spent by the model and, where programs are run, by them
/// @param tokens given to the model, beginnings shared by texts counted for each, and written;
///   nothing of what was kept from before
/// @param requests texts that the model scored or wrote
public record TaskResult(
        Task task,
        int shots,
        int available,
        Map<String, Score> scores,
        double chance,
        double seconds,
        long tokens,
        long requests) {
    public Score headline() {
        return score(task.info().headline());
    }

    /// @param metric as `metric,filter`
    public Score score(String metric) {
        Score score = scores.get(metric);
        if (score == null) {
            throw new IllegalArgumentException(task.name() + " has no " + metric);
        }
        return score;
    }
}
