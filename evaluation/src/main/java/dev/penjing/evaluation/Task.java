package dev.penjing.evaluation;

import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// A benchmark, or one of its parts: how its items become prompts, and answers scores. What is the
/// same for all, shots and tokens, is done by [Prompts] and [Evaluation].
///
/// A new benchmark is one class that implements [Choosing] or [Writing], and a line in
/// `tasks.Benchmarks`.
public sealed interface Task {
    /// Name, edition, data and shots.
    TaskInfo info();

    default String name() {
        return info().name();
    }

    /// Stands before the shots; ends as it should.
    default String description() {
        return "";
    }

    /// How many of `items` items are asked: all, but for a benchmark that asks a part.
    default int asked(int items) {
        return items;
    }

    /// Whether judging an answer runs the program that a model wrote: such a task needs a sandbox.
    default boolean runsPrograms() {
        return false;
    }

    /// @throws dev.penjing.model.PenjingException if the object lacks what an item needs
    TaskItem read(JsonNode item);

    /// Scores the likelihoods of continuations.
    non-sealed interface Choosing extends Task {
        /// @param logLikelihoods summed natural logarithms, one a choice or context
        /// @return from 0 to 1, by `metric,filter`
        /// @throws dev.penjing.model.PenjingException if one is not finite
        Map<String, Double> judge(TaskItem item, double[] logLikelihoods);
    }

    /// Scores written texts.
    non-sealed interface Writing extends Task {
        GenerationSettings generation();

        /// @param texts as many as `generation` asks for
        /// @return from 0 to 1, by `metric,filter`
        Map<String, Double> judge(TaskItem item, List<String> texts);
    }
}
