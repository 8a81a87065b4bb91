package dev.penjing.evaluation.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.hub.Hub;
import dev.penjing.model.hub.HubDataset;
import dev.penjing.model.hub.HubListing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/// Benchmarks on a hub, and in its cache. Of each data set only the files of the wanted
/// configuration and split are fetched: Parquet from its repository; else from the copy in Parquet
/// that the hub makes; else what there is.
public final class HubData implements BenchmarkData {
    private record Try(String revision, Predicate<String> format) {}

    private static final Predicate<String> PARQUET = path -> path.endsWith(".parquet");
    private static final List<Try> TRIES =
            List.of(
                    new Try("main", PARQUET),
                    new Try("refs/convert/parquet", PARQUET),
                    new Try("main", SplitFiles::isData));

    private final Hub hub;
    private final Progress progress;

    /// What has been asked for stays as it was for the life of this object, so that all parts of a
    /// data set are of one commit.
    private final Map<HubDataset, HubListing> listings = new ConcurrentHashMap<>();

    /// @param progress is told of what is fetched
    public HubData(Hub hub, Progress progress) {
        this.hub = hub;
        this.progress = progress;
    }

    @Override
    public List<JsonNode> items(DataSet set, String split) {
        return first(set, split, Integer.MAX_VALUE);
    }

    @Override
    public List<JsonNode> first(DataSet set, String split, int most) {
        List<String> looked = new ArrayList<>();
        for (Try one : TRIES) {
            HubListing listing = listing(HubDataset.of(set.hub(), one.revision()));
            List<String> paths = listing.paths().stream().filter(one.format()).toList();
            List<String> names = new SplitFiles(set, split, true, false).of(paths, listing.where());
            if (!names.isEmpty()) {
                Path folder = hub.fetch(listing, names, progress);
                List<Path> files = names.stream().map(folder::resolve).toList();
                return new ItemReader(set, split).read(files, most);
            }
            looked.add(listing.where());
        }
        throw new PenjingException(
                "there is no %s split of %s%s in %s: put %s in a folder and name that"
                        .formatted(
                                split,
                                set.folder(),
                                set.configuration().map(c -> " (" + c + ")").orElse(""),
                                looked.getFirst(),
                                set.folder() + "/" + Published.example(set, split)));
    }

    private HubListing listing(HubDataset set) {
        return listings.computeIfAbsent(set, s -> hub.list(s, SplitFiles::isData));
    }
}
