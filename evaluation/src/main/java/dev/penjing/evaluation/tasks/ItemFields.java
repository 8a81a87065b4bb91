package dev.penjing.evaluation.tasks;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads an item's fields, and says which is missing.
final class ItemFields {
    private final String task;
    private final JsonNode item;

    ItemFields(String task, JsonNode item) {
        this.task = task;
        this.item = item;
    }

    boolean has(String name) {
        return item.hasNonNull(name);
    }

    JsonNode node(String name) {
        JsonNode value = item.path(name);
        if (value.isMissingNode() || value.isNull()) {
            throw wrong("has no '" + name + "'");
        }
        return value;
    }

    String text(String name) {
        JsonNode value = node(name);
        if (!value.isString()) {
            throw wrong("has a '%s' that is no text".formatted(name));
        }
        return value.asString();
    }

    /// A whole number, also one written as a text.
    int number(String name) {
        JsonNode value = node(name);
        if (value.isInt()) {
            return value.asInt();
        }
        try {
            return Integer.parseInt(value.asString("").strip());
        } catch (NumberFormatException e) {
            throw wrong("has a '%s' that is no whole number".formatted(name));
        }
    }

    List<String> texts(String name) {
        return texts(node(name), name);
    }

    List<String> texts(JsonNode array, String name) {
        if (!array.isArray()) {
            throw wrong("has a '%s' that is no list".formatted(name));
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode one : array) {
            if (!one.isString()) {
                throw wrong("has a '%s' that is not all texts".formatted(name));
            }
            texts.add(one.asString());
        }
        return texts;
    }

    /// An index of one of `size` things.
    int index(int index, int size, String name) {
        if (index < 0 || index >= size) {
            throw wrong("has a '%s' that is none of its %d choices".formatted(name, size));
        }
        return index;
    }

    PenjingException wrong(String what) {
        String shown = item.toString();
        return new PenjingException(
                "%s: an item %s: %s"
                        .formatted(
                                task,
                                what,
                                shown.length() > 120 ? shown.substring(0, 120) + "..." : shown));
    }
}
