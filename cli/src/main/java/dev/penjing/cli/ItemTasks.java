package dev.penjing.cli;

import dev.penjing.compression.run.Artifacts;
import dev.penjing.compression.run.Compression;
import dev.penjing.model.LanguageModel;
import dev.penjing.model.Progress;
import dev.penjing.world.Item;
import dev.penjing.world.Items;
import dev.penjing.world.LittleTasks;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The nine little tasks as what a compression is measured on.
final class ItemTasks implements Compression.Tasks {
    private final List<Item> items;
    private final String key;

    private ItemTasks(List<Item> items, String key) {
        this.items = items;
        this.key = key;
    }

    static Compression.Tasks of(Path file) {
        return new ItemTasks(Items.read(file), Artifacts.sha256(file));
    }

    @Override
    public String key() {
        return key;
    }

    @Override
    public Map<String, Double> score(LanguageModel model, Progress progress) {
        Map<String, Double> accuracies = new LinkedHashMap<>();
        LittleTasks.score(model, items, progress)
                .forEach((task, score) -> accuracies.put(task, score.accuracy()));
        return accuracies;
    }

    @Override
    public Map<String, Double> chance() {
        return LittleTasks.chance(items);
    }
}
