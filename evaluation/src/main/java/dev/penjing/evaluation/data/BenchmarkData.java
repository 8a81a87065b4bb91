package dev.penjing.evaluation.data;

import dev.penjing.model.Progress;
import dev.penjing.model.hub.Hub;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Where the items of benchmarks come from.
public interface BenchmarkData {
    /// The items of a split in the published order, each an object with the fields that the
    /// benchmark publishes.
    ///
    /// @param split as the benchmark names it on the hub: `train`, `validation`, `test`, `dev`
    /// @throws dev.penjing.model.PenjingException if there is no such data, with which file was
    ///   looked for and where to get it; or if it is damaged
    List<JsonNode> items(DataSet set, String split);

    /// Benchmarks from a folder if one is given, and from it alone; else from the hub's cache and
    /// the hub.
    ///
    /// @param environment as `System.getenv()` gives it
    /// @param progress is told of what is fetched
    /// @throws dev.penjing.model.UsageException if there is no such folder, or a variable of the
    ///   environment makes no sense
    static BenchmarkData of(
            Optional<Path> folder, Map<String, String> environment, Progress progress) {
        return folder.isPresent()
                ? new LocalData(folder.get())
                : new HubData(new Hub(environment), progress);
    }

    /// The first items of a split; may read no further than they are.
    ///
    /// @param most how many at most
    default List<JsonNode> first(DataSet set, String split, int most) {
        List<JsonNode> all = items(set, split);
        return all.subList(0, Math.min(most, all.size()));
    }
}
