package dev.penjing.world;

import dev.penjing.model.LanguageModel;
import dev.penjing.model.Progress;
import dev.penjing.model.Prompt;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/// Scores a model on items: multiple choice by the log-likelihood of each choice after the context,
/// divided by its bytes; short answers by greedy generation, compared as they stand.
public final class LittleTasks {
    private static final int LONGEST_ANSWER = 24;

    private LittleTasks() {}

    public record Score(int correct, int total) {
        public double accuracy() {
            return total == 0 ? 0 : (double) correct / total;
        }

        private Score plus(boolean right) {
            return new Score(correct + (right ? 1 : 0), total + 1);
        }
    }

    /// The scores by task.
    public static Map<String, Score> score(
            LanguageModel model, List<Item> items, Progress progress) {
        Map<String, Score> scores = new LinkedHashMap<>();
        int done = 0;
        for (Item item : items) {
            boolean right =
                    switch (item) {
                        case Item.MultipleChoice choice -> choose(model, choice) == choice.answer();
                        case Item.ShortAnswer free -> write(model, free).equals(free.answer());
                    };
            scores.merge(item.task(), new Score(right ? 1 : 0, 1), (a, b) -> a.plus(right));
            progress.update("tasks", ++done, items.size(), item.task());
        }
        return scores;
    }

    /// What guessing scores, by task: 0 where the answer is written freely.
    public static Map<String, Double> chance(List<Item> items) {
        Map<String, Double> sums = new LinkedHashMap<>();
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (Item item : items) {
            double chance =
                    item instanceof Item.MultipleChoice choice ? 1.0 / choice.choices().size() : 0;
            sums.merge(item.task(), chance, Double::sum);
            counts.merge(item.task(), 1, Integer::sum);
        }
        sums.replaceAll((task, sum) -> sum / counts.getOrDefault(task, 1));
        return sums;
    }

    private static int choose(LanguageModel model, Item.MultipleChoice item) {
        Tokenizer tokenizer = model.tokenizer();
        int contextTokens = tokenizer.encode(item.context()).length;
        List<int[]> sequences = new ArrayList<>();
        for (String choice : item.choices()) {
            sequences.add(tokenizer.encode(item.context() + " " + choice));
        }
        List<float[]> scores = model.logProbabilities(sequences);
        int best = 0;
        double bestScore = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < scores.size(); i++) {
            double sum = 0;
            float[] tokens = scores.get(i);
            for (int t = Math.max(0, contextTokens - 1); t < tokens.length; t++) {
                sum += tokens[t];
            }
            double score = sum / item.choices().get(i).getBytes(StandardCharsets.UTF_8).length;
            if (score > bestScore) {
                bestScore = score;
                best = i;
            }
        }
        return best;
    }

    private static String write(LanguageModel model, Item.ShortAnswer item) {
        Tokenizer tokenizer = model.tokenizer();
        int[] prompt = tokenizer.encode(item.context());
        IntPredicate ends =
                id ->
                        tokenizer.isSpecial(id)
                                || tokenizer.decode(new int[] {id}, false).contains("\n");
        int[] answer =
                model.generate(
                                List.of(
                                        new Prompt(
                                                prompt, LONGEST_ANSWER, Prompt.Draw.GREEDY, ends)),
                                done -> {})
                        .getFirst();
        if (answer.length > 0 && ends.test(answer[answer.length - 1])) {
            answer = Arrays.copyOf(answer, answer.length - 1);
        }
        return tokenizer.decode(answer, true).strip();
    }
}
