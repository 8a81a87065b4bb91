package dev.penjing.evaluation;

import dev.penjing.evaluation.data.BenchmarkData;
import dev.penjing.evaluation.python.PythonRandom;
import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// The items shown before each item. Draws run on from item to item, so what an item is shown
/// depends on those before it: a part of a benchmark must be its first items.
final class Shots {
    private final Task task;
    private final List<JsonNode> pool;
    private final int count;
    private final PythonRandom random;

    /// @throws PenjingException if there are fewer items to show than are to be shown
    Shots(Task task, int count, long seed, BenchmarkData data) {
        this.task = task;
        this.count = count;
        this.random = new PythonRandom(seed);
        TaskInfo info = task.info();
        this.pool = pool(info, data);
        int needed =
                count > 0 && info.order() == TaskInfo.ShotOrder.DRAWN_WITH_SPARE
                        ? count + 1
                        : count;
        if (pool.size() < needed) {
            throw new PenjingException(
                    "%s shows %d items of '%s', and draws from %d, but there are only %d: lower `shots` or complete the data"
                            .formatted(task.name(), count, info.shown(), needed, pool.size()));
        }
    }

    private List<JsonNode> pool(TaskInfo info, BenchmarkData data) {
        if (count == 0) {
            return List.of();
        }
        return info.order() == TaskInfo.ShotOrder.FIRST
                ? data.first(info.data(), info.shown(), count)
                : data.items(info.data(), info.shown());
    }

    /// What items are shown from, in order.
    List<JsonNode> pool() {
        return pool;
    }

    List<TaskItem> next(JsonNode asked) {
        if (count == 0) {
            return List.of();
        }
        List<JsonNode> shown =
                switch (task.info().order()) {
                    case FIRST -> pool.subList(0, count);
                    case DRAWN -> random.sample(pool, count);
                    case DRAWN_WITH_SPARE -> withoutAsked(asked);
                };
        return shown.stream().map(task::read).toList();
    }

    private List<JsonNode> withoutAsked(JsonNode asked) {
        List<JsonNode> drawn = new ArrayList<>(random.sample(pool, count + 1));
        drawn.removeIf(asked::equals);
        if (drawn.size() < count) {
            // the data holds the item more than once
            List<JsonNode> others = pool.stream().filter(item -> !item.equals(asked)).toList();
            if (others.size() < count) {
                throw new PenjingException(
                        "%s has not %d items other than the one that is asked"
                                .formatted(task.name(), count));
            }
            return random.sample(others, count);
        }
        return drawn.subList(0, count);
    }
}
