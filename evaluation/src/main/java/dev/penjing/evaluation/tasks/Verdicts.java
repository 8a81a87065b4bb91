package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.TaskItem;
import dev.penjing.evaluation.metrics.LogLikelihoods;
import dev.penjing.evaluation.python.PythonText;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.ToIntFunction;

/// Which choice a model takes.
final class Verdicts {
    private Verdicts() {}

    static final ToIntFunction<String> BYTES = text -> text.getBytes(StandardCharsets.UTF_8).length;

    /// 1 if the likeliest is right, else 0; the first of equals is taken.
    static double likeliest(double[] logLikelihoods, TaskItem item) {
        LogLikelihoods.requireFinite(logLikelihoods);
        return right(item, best(logLikelihoods));
    }

    /// The same with likelihoods divided by the length of the choice; an empty choice, whose
    /// quotient is minus infinity, is never taken.
    static double likeliestByLength(
            double[] logLikelihoods, TaskItem.Choices item, ToIntFunction<String> length) {
        LogLikelihoods.requireFinite(logLikelihoods);
        double[] divided = new double[logLikelihoods.length];
        for (int i = 0; i < divided.length; i++) {
            divided[i] = logLikelihoods[i] / length.applyAsInt(item.choices().get(i));
        }
        return right(item, best(divided));
    }

    /// Both; lengths in code points, the blank before the choice not counted.
    static Map<String, Double> withAndWithoutLength(double[] logLikelihoods, TaskItem item) {
        return Map.of(
                "acc,none",
                likeliest(logLikelihoods, item),
                "acc_norm,none",
                likeliestByLength(logLikelihoods, (TaskItem.Choices) item, PythonText::length));
    }

    private static int best(double[] scores) {
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }

    private static double right(TaskItem item, int taken) {
        boolean right =
                switch (item) {
                    case TaskItem.Choices choices -> choices.right().contains(taken);
                    case TaskItem.Contexts contexts -> contexts.right() == taken;
                    case TaskItem.Free free ->
                            throw new IllegalArgumentException("nothing to choose");
                };
        return right ? 1 : 0;
    }
}
