package dev.penjing.evaluation.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.rows.Rows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Questions of one's own: a JSON object a line with `task`, `context`, and `choices` and `answer`
/// (an index), or `answer` (a text).
public final class OwnItems implements BenchmarkData {
    private final Path file;
    private final Map<String, List<JsonNode>> byTask = new LinkedHashMap<>();

    /// @throws PenjingException if the file cannot be read, holds nothing, or a line that is no
    ///   item
    public OwnItems(Path file) {
        this.file = file;
        Rows.read(
                file,
                Optional.empty(),
                row -> {
                    String task = row.path("task").asString("");
                    if (task.isEmpty() || !row.path("context").isString()) {
                        throw new PenjingException(
                                "%s: an item needs a task and a context: %s".formatted(file, row));
                    }
                    byTask.computeIfAbsent(task, t -> new ArrayList<>()).add(row);
                    return true;
                });
        if (byTask.isEmpty()) {
            throw new PenjingException(file + " holds no items");
        }
    }

    /// In the order in which they come first.
    public List<String> tasks() {
        return List.copyOf(byTask.keySet());
    }

    /// Whether the answers of a task are to be written.
    public boolean written(String task) {
        return !of(task).getFirst().has("choices");
    }

    @Override
    public List<JsonNode> items(DataSet set, String split) {
        return of(set.configuration().orElse(""));
    }

    private List<JsonNode> of(String task) {
        List<JsonNode> items = byTask.get(task);
        if (items == null) {
            throw new PenjingException("%s has no items of '%s'".formatted(file, task));
        }
        return items;
    }
}
