package dev.penjing.evaluation.data;

import java.util.List;
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

    /// The first items of a split; may read no further than they are.
    ///
    /// @param most how many at most
    default List<JsonNode> first(DataSet set, String split, int most) {
        List<JsonNode> all = items(set, split);
        return all.subList(0, Math.min(most, all.size()));
    }
}
