package dev.penjing.evaluation.data;

import dev.penjing.model.PenjingException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Tells by their names which files of a folder, or of a repository, hold a split.
///
/// A name that the benchmark publishes goes first (`HumanEval.jsonl.gz`). Any other must say the
/// split, and beside it nothing but the benchmark, its configuration and the number of a piece:
/// `test.jsonl`, `arc_challenge_val.jsonl`, `ARC-Challenge/test-00000-of-00001.parquet`,
/// `main/test/0000.parquet`. A name with any other word in it is of something else.
///
/// @param needsConfiguration whether the path must name the set's configuration, since others are
///   there too
/// @param needsBenchmark whether the path must name the benchmark, since others are there too
record SplitFiles(DataSet set, String split, boolean needsConfiguration, boolean needsBenchmark) {
    private static final Pattern FORMAT =
            Pattern.compile(
                    "(.+)\\.(?:(jsonl|json|csv)(?:\\.gz)?|parquet)", Pattern.CASE_INSENSITIVE);
    private static final Pattern PIECE =
            Pattern.compile("(?:(.*?)[-_.]?)(\\d{5})-of-(\\d{5})|(\\d{4})");
    private static final Set<String> SPLITS =
            Set.of("train", "validation", "valid", "val", "dev", "test", "prompt");

    /// Words that a folder may have in its name whatever it holds.
    private static final Set<String> NEUTRAL = Set.of("data", "default", "v0");

    /// Behind all published names.
    private static final int UNPUBLISHED = 1_000;

    private record Match(String path, String group, int rank, int piece, int pieces) {}

    /// Whether the file's name has the ending of a format that we read.
    static boolean isData(String path) {
        return FORMAT.matcher(path).matches();
    }

    /// The files of the split, in order; none if there are none.
    ///
    /// @param paths relative, with `/`
    /// @param where the folder's or repository's name, for messages
    /// @throws PenjingException if several files could equally be meant, or a piece is missing
    List<String> of(Collection<String> paths, String where) {
        List<Match> all = paths.stream().map(this::match).flatMap(Optional::stream).toList();
        int best = all.stream().mapToInt(Match::rank).min().orElse(0);
        Map<String, List<Match>> groups =
                all.stream()
                        .filter(m -> m.rank() == best)
                        // of a file and its compressed twin, the file
                        .sorted(Comparator.comparing(Match::piece).thenComparing(Match::path))
                        .collect(
                                Collectors.groupingBy(
                                        Match::group, TreeMap::new, Collectors.toList()));
        if (groups.size() > 1) {
            String names =
                    groups.values().stream()
                            .map(g -> g.getFirst().path())
                            .collect(Collectors.joining(" and "));
            throw new PenjingException(
                    "%s in %s could each be the %s split of %s: keep one there"
                            .formatted(names, where, split, set.folder()));
        }
        return groups.values().stream().findFirst().map(g -> whole(g, where)).orElse(List.of());
    }

    private static List<String> whole(List<Match> pieces, String where) {
        List<String> paths = new ArrayList<>();
        int last = -1;
        for (Match match : pieces) {
            if (match.piece() != last) {
                if (match.piece() != last + 1) {
                    break;
                }
                paths.add(match.path());
                last = match.piece();
            }
        }
        int expected = Math.max(pieces.getFirst().pieces(), pieces.getLast().piece() + 1);
        if (paths.size() != expected) {
            throw new PenjingException(
                    "%s in %s is one of %d pieces and number %d is missing: put all of them there"
                            .formatted(pieces.getLast().path(), where, expected, paths.size()));
        }
        return paths;
    }

    private Optional<Match> match(String path) {
        Matcher format = FORMAT.matcher(path);
        if (!format.matches()) {
            return Optional.empty();
        }
        int slash = path.lastIndexOf('/') + 1;
        String folders = path.substring(0, slash);
        String plain = path.substring(slash).replaceFirst("(?i)\\.gz$", "");
        List<String> published = Published.names(set, split);
        for (int i = 0; i < published.size(); i++) {
            if (published.get(i).equalsIgnoreCase(plain) && isNeutral(folders)) {
                return Optional.of(new Match(path, folders + plain, i, 0, 1));
            }
        }
        String stem = format.group(1);
        Matcher piece = PIECE.matcher(stem.substring(slash));
        if (!piece.matches()) {
            return named(stem)
                    ? Optional.of(new Match(path, folders + plain, UNPUBLISHED, 0, 1))
                    : Optional.empty();
        }
        boolean counted = piece.group(2) != null;
        String rest = folders + (counted ? Optional.ofNullable(piece.group(1)).orElse("") : "");
        String number = counted ? piece.group(2) : piece.group(4);
        int pieces = counted ? Integer.parseInt(piece.group(3)) : 0;
        String group = rest + " of " + pieces + plain.substring(plain.lastIndexOf('.'));
        return named(rest)
                ? Optional.of(new Match(path, group, UNPUBLISHED, Integer.parseInt(number), pieces))
                : Optional.empty();
    }

    /// Whether these words say the split, and nothing that we know no reason for.
    private boolean named(String path) {
        String words = words(path);
        boolean configured = configuration().filter(c -> contains(words, c)).isPresent();
        boolean benchmark = names().stream().anyMatch(n -> contains(words, n));
        if (needsConfiguration && configuration().isPresent() && !configured
                || needsBenchmark && !benchmark) {
            return false;
        }
        Set<String> left = left(words);
        return left.stream().anyMatch(this::isSplit)
                && left.stream().allMatch(w -> isSplit(w) || NEUTRAL.contains(w));
    }

    private boolean isNeutral(String folders) {
        return left(words(folders)).stream()
                .allMatch(w -> SPLITS.contains(w) || NEUTRAL.contains(w));
    }

    private boolean isSplit(String word) {
        return switch (split) {
            case "validation" ->
                    Set.of("validation", "valid", "val").contains(word)
                            || word.equals("dev") && !Published.hasDev(set);
            default -> word.equals(split);
        };
    }

    /// The words that are left without the names of the configuration and the benchmark.
    private Set<String> left(String words) {
        String left = words;
        for (String name : Stream.concat(configuration().stream(), names().stream()).toList()) {
            left = left.replace(words(name), "-");
        }
        return Stream.of(left.split("-")).filter(w -> !w.isEmpty()).collect(Collectors.toSet());
    }

    private Optional<String> configuration() {
        return set.configuration().filter(c -> !c.equals("default"));
    }

    private List<String> names() {
        String name = set.hub().substring(set.hub().indexOf('/') + 1);
        return List.of(set.hub(), name, set.folder());
    }

    private static boolean contains(String words, String name) {
        return words.contains(words(name));
    }

    /// `ARC-Challenge/test_1` as `-arc-challenge-test-1-`.
    static String words(String path) {
        return ("-" + path + "-").toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }
}
