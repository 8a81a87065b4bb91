package dev.penjing.evaluation.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Benchmarks in a folder: each in a folder of its own, `DIR/arc_challenge`, or in one named as on
/// the hub, `DIR/allenai/ai2_arc` or `DIR/ai2_arc`; or DIR is itself the folder of one benchmark,
/// or holds files that name theirs, `DIR/hellaswag_val.jsonl`. The first of these places that has
/// the split is taken. [SplitFiles] says which names are understood. A folder is looked through
/// once: files that come later are not found.
public final class LocalData implements BenchmarkData {
    private static final int DEEPEST = 4;
    private static final int MOST_FILES = 100_000;

    /// A place to look in.
    ///
    /// @param ownName whether it has the name that we give the benchmark
    /// @param shared whether other benchmarks lie there too
    private record Place(Path folder, boolean ownName, boolean shared) {}

    private record Found(Path folder, List<String> names) {}

    private final Path dir;

    private final Map<Place, List<String>> listings = new ConcurrentHashMap<>();

    /// @throws UsageException if there is no such folder
    public LocalData(Path dir) {
        if (!Files.isDirectory(dir)) {
            throw new UsageException(
                    dir + " is no folder: name the one that holds the benchmarks' data");
        }
        this.dir = dir;
    }

    @Override
    public List<JsonNode> items(DataSet set, String split) {
        return first(set, split, Integer.MAX_VALUE);
    }

    @Override
    public List<JsonNode> first(DataSet set, String split, int most) {
        try {
            Found found = find(set, split).orElseThrow(() -> missing(set, split));
            List<Path> files = found.names().stream().map(found.folder()::resolve).toList();
            return new ItemReader(set, split).read(files, most);
        } catch (IOException e) {
            throw new PenjingException(
                    "cannot read the folder %s (%s): mend its permissions, or name another"
                            .formatted(dir, e.getMessage()),
                    e);
        }
    }

    private Optional<Found> find(DataSet set, String split) throws IOException {
        for (Place place : places(set)) {
            boolean needsConfiguration = Published.hasParts(set) || !place.ownName();
            SplitFiles files = new SplitFiles(set, split, needsConfiguration, place.shared());
            List<String> names = files.of(paths(place), place.folder().toString());
            if (!names.isEmpty()) {
                return Optional.of(new Found(place.folder(), names));
            }
        }
        return Optional.empty();
    }

    private List<Place> places(DataSet set) throws IOException {
        String name = set.hub().substring(set.hub().indexOf('/') + 1);
        List<Place> places = new ArrayList<>();
        List<Path> below = new ArrayList<>();
        below.add(dir.resolve(set.folder())); // before other spellings of it
        below.add(dir.resolve(set.hub()));
        try (Stream<Path> all = Files.list(dir)) {
            all.sorted().filter(p -> !below.contains(p)).forEach(below::add);
        }
        below.add(dir);
        for (String spelling : List.of(set.folder(), name)) {
            boolean ownName = isSpelling(spelling, set.folder());
            below.stream()
                    .filter(p -> isSpelling(nameOf(p), spelling) && Files.isDirectory(p))
                    .map(p -> new Place(p, ownName, false))
                    .filter(p -> places.stream().noneMatch(q -> q.folder().equals(p.folder())))
                    .forEach(places::add);
        }
        if (places.stream().noneMatch(p -> p.folder().equals(dir))) {
            places.add(new Place(dir, true, true));
        }
        return places;
    }

    private static String nameOf(Path path) {
        return Optional.ofNullable(path.toAbsolutePath().normalize().getFileName())
                .map(Path::toString)
                .orElse("");
    }

    private static boolean isSpelling(String a, String b) {
        return SplitFiles.words(a).replace("-", "").equals(SplitFiles.words(b).replace("-", ""));
    }

    private List<String> paths(Place place) throws IOException {
        List<String> paths = listings.get(place);
        if (paths == null) {
            paths = List.copyOf(walk(place.folder(), place.shared()));
            listings.put(place, paths);
        }
        return paths;
    }

    /// The data files below a folder. Hidden folders are left out; below a shared one also all that
    /// could be a benchmark of its own.
    private static List<String> walk(Path folder, boolean shared) throws IOException {
        List<String> paths = new ArrayList<>();
        Files.walkFileTree(
                folder,
                EnumSet.of(FileVisitOption.FOLLOW_LINKS),
                DEEPEST,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes a) {
                        String name = nameOf(path);
                        boolean out =
                                name.startsWith(".")
                                        || shared && !name.matches("data|train|val|dev|test");
                        if (!path.equals(folder) && SplitFiles.isData(name)) {
                            return add(path, FileVisitResult.SKIP_SUBTREE); // is said as it is read
                        }
                        return out && !path.equals(folder)
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
                        return SplitFiles.isData(nameOf(path))
                                ? add(path, FileVisitResult.CONTINUE)
                                : FileVisitResult.CONTINUE;
                    }

                    private FileVisitResult add(Path path, FileVisitResult then) {
                        if (paths.size() == MOST_FILES) {
                            throw new UsageException(
                                    "%s holds more than %d files: name a folder that holds benchmarks alone"
                                            .formatted(folder, MOST_FILES));
                        }
                        paths.add(folder.relativize(path).toString().replace('\\', '/'));
                        return then;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path path, IOException e)
                            throws IOException {
                        if (e instanceof FileSystemLoopException
                                || e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE; // a link that leads nowhere new
                        }
                        throw e;
                    }
                });
        paths.sort(Comparator.naturalOrder());
        return paths;
    }

    private PenjingException missing(DataSet set, String split) {
        String what =
                "there is no %s split of %s%s in %s"
                        .formatted(
                                split,
                                set.folder(),
                                set.configuration()
                                        .filter(c -> Published.hasParts(set))
                                        .map(c -> " (" + c + ")")
                                        .orElse(""),
                                dir);
        Path example = dir.resolve(set.folder()).resolve(Published.example(set, split));
        if (set.folder().equals("truthfulqa") && hasLaterEdition()) {
            return new PenjingException(
                    what
                            + " but its later edition (v1), which is another data set: put %s there"
                                    .formatted(example));
        }
        return new PenjingException(
                what
                        + " (looked for %s, and the hub's file names): put it there, or name no folder to take %s from the hub"
                                .formatted(example, set.hub()));
    }

    private boolean hasLaterEdition() {
        try (Stream<Path> all = Files.walk(dir, DEEPEST)) {
            return all.anyMatch(p -> nameOf(p).matches("mc_task\\.v1\\.json(\\.gz)?"));
        } catch (IOException e) {
            return false;
        }
    }
}
