package dev.penjing.evaluation.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.rows.Rows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/// The items of a split from the files that hold it.
record ItemReader(DataSet set, String split) {
    /// @param files in order, at least one
    /// @throws PenjingException if they are damaged, hold none, or hold those of another edition
    List<JsonNode> read(List<Path> files, int most) {
        List<JsonNode> items = new ArrayList<>();
        boolean any = false;
        for (Path file : files) {
            Predicate<JsonNode> ours = Published.rows(set, split, file.getFileName().toString());
            if (items.size() < most) {
                any |=
                        Rows.read(
                                file,
                                Published.columns(set),
                                row -> {
                                    if (ours.test(row)) {
                                        items.add(Published.item(set, row));
                                    }
                                    return items.size() < most;
                                });
            }
        }
        if (items.isEmpty() && most > 0) {
            throw new PenjingException(
                    files.getFirst()
                            + (any
                                    ? " holds no row of the " + split + " split: put the whole file"
                                    : " is empty: put the file")
                            + " of "
                            + set.hub()
                            + " there");
        }
        if (!items.isEmpty() && Published.isLaterEdition(set, items.getFirst())) {
            throw new PenjingException(
                    files.getFirst()
                            + " is TruthfulQA's later edition (v1), which is another data set: put mc_task.v0.json there");
        }
        return items;
    }
}
