package dev.penjing.world;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Items of nine kinds, built from held-out combinations, and their file form: a JSON object a line
/// with `task`, `context`, and `choices` and `answer` (an index), or `answer` (a text).
public final class Items {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Items() {}

    /// `count` different items of each kind.
    public static List<Item> of(World world, long seed, int count) {
        Map<String, Item> items = new LinkedHashMap<>();
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

    private static Item item(Exercise exercise, Draw order) {
        if (exercise.wrong().isEmpty()) {
            return new Item.ShortAnswer(exercise.task(), exercise.prompt(), exercise.answer());
        }
        List<String> choices = new ArrayList<>(exercise.wrong());
        int at = order.below(choices.size() + 1);
        choices.add(at, exercise.answer());
        return new Item.MultipleChoice(
                exercise.task(), exercise.prompt(), List.copyOf(choices), at);
    }

    static String line(Item item) {
        ObjectNode json = JSON.createObjectNode();
        json.put("task", item.task());
        json.put("context", item.context());
        switch (item) {
            case Item.MultipleChoice choice -> {
                ArrayNode choices = json.putArray("choices");
                choice.choices().forEach(choices::add);
                json.put("answer", choice.answer());
            }
            case Item.ShortAnswer free -> json.put("answer", free.answer());
        }
        return json.toString();
    }

    /// @throws PenjingException if the file cannot be read or a line is not an item
    public static List<Item> read(Path file) {
        List<Item> items = new ArrayList<>();
        try {
            for (String line : Files.readAllLines(file)) {
                items.add(item(JSON.readTree(line), file, items.size() + 1));
            }
        } catch (IOException | JacksonException e) {
            throw new PenjingException(
                    "cannot read items from %s (line %d): %s"
                            .formatted(file, items.size() + 1, e.getMessage()),
                    e);
        }
        return items;
    }

    private static Item item(JsonNode json, Path file, int line) {
        String task = json.path("task").asString("");
        String context = json.path("context").asString("");
        if (task.isEmpty() || context.isEmpty()) {
            throw new PenjingException(
                    "%s line %d is no item: it needs a task and a context".formatted(file, line));
        }
        if (!json.has("choices")) {
            return new Item.ShortAnswer(task, context, json.path("answer").asString(""));
        }
        List<String> choices = new ArrayList<>();
        json.path("choices").forEach(choice -> choices.add(choice.asString()));
        int answer = json.path("answer").asInt(-1);
        if (choices.isEmpty() || answer < 0 || answer >= choices.size()) {
            throw new PenjingException(
                    "%s line %d: the answer must be the index of one of its choices"
                            .formatted(file, line));
        }
        return new Item.MultipleChoice(task, context, choices, answer);
    }
}
