package dev.penjing.evaluation.tasks;

import dev.penjing.evaluation.Item;
import dev.penjing.evaluation.PythonText;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.ToIntFunction;

/// Which choice a model takes.
final class Verdicts {
    private Verdicts() {}

    static final ToIntFunction<String> BYTES = text -> text.getBytes(StandardCharsets.UTF_8).length;

    /// 1 if the likeliest is right, else 0; the first of equals is taken.
    static double likeliest(double[] logLikelihoods, Item item) {
        return right(item, best(logLikelihoods));
    }

    /// The same with likelihoods divided by the length of the choice.
    static double likeliestByLength(
            double[] logLikelihoods, Item.Choices item, ToIntFunction<String> length) {
        double[] divided = new double[logLikelihoods.length];
        for (int i = 0; i < divided.length; i++) {
            divided[i] = logLikelihoods[i] / length.applyAsInt(item.choices().get(i));
        }
        return right(item, best(divided));
    }

    /// Both; lengths in code points, the blank before the choice not counted.
    static Map<String, Double> withAndWithoutLength(double[] logLikelihoods, Item item) {
        return Map.of(
                "acc,none",
                likeliest(logLikelihoods, item),
                "acc_norm,none",
                likeliestByLength(logLikelihoods, (Item.Choices) item, PythonText::length));
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

    private static double right(Item item, int taken) {
        boolean right =
                switch (item) {
                    case Item.Choices choices -> choices.right().contains(taken);
                    case Item.Contexts contexts -> contexts.right() == taken;
                    case Item.Free free -> throw new IllegalArgumentException("nothing to choose");
                };
        return right ? 1 : 0;
    }
}
