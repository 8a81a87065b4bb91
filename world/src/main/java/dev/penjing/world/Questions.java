package dev.penjing.world;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Questions of nine kinds, built from held-out combinations, and their file form: a JSON object a
/// line with `task`, `context`, and `choices` and `answer` (an index), or `answer` (a text).
public final class Questions {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Questions() {}

    /// `count` different items of each kind.
    public static List<Question> of(World world, long seed, int count) {
        Map<String, Question> items = new LinkedHashMap<>();
        for (String task : Exercises.TASKS) {
            Draw order = new Draw(seed ^ task.hashCode(), Draw.Side.HELD_OUT);
            Exercises exercises = Documents.unseen(world, seed * 31 + task.hashCode());
            int made = 0;
            for (int attempt = 0; made < count && attempt < 50 * count; attempt++) {
                Exercise exercise = exercises.of(task);
                if (!items.containsKey(exercise.prompt())) {
                    items.put(exercise.prompt(), item(exercise, order));
                    made++;
                }
            }
        }
        return List.copyOf(items.values());
    }

    private static Question item(Exercise exercise, Draw order) {
        if (exercise.wrong().isEmpty()) {
            return new Question.ShortAnswer(exercise.task(), exercise.prompt(), exercise.answer());
        }
        List<String> choices = new ArrayList<>(exercise.wrong());
        int at = order.below(choices.size() + 1);
        choices.add(at, exercise.answer());
        return new Question.MultipleChoice(
                exercise.task(), exercise.prompt(), List.copyOf(choices), at);
    }

    static String line(Question item) {
        ObjectNode json = JSON.createObjectNode();
        json.put("task", item.task());
        json.put("context", item.context());
        switch (item) {
            case Question.MultipleChoice choice -> {
                ArrayNode choices = json.putArray("choices");
                choice.choices().forEach(choices::add);
                json.put("answer", choice.answer());
            }
            case Question.ShortAnswer free -> json.put("answer", free.answer());
        }
        return json.toString();
    }
}
