package dev.penjing.compression.repair;

import dev.penjing.compression.importance.DepthChoice;
import dev.penjing.model.UsageException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// What is repaired, and how.
///
/// @param selection which neurons and heads of a layer are kept
/// @param depth which layers are kept
/// @param ridges shares of a channel's own energy that are tried as its ridge, which pulls to the
///   sliced weights; of each matrix the one with the least error on held-out text stays
/// @param heldOut one sample in so many is held out
public record RepairSettings(
        Level level, Selection selection, DepthChoice depth, List<Double> ridges, int heldOut) {
    /// How much is repaired. Each level does what the one before it does, and more.
    public enum Level {
        /// Nothing: parts are cut out and what is left keeps its values.
        NONE,
        /// The gains of norms that lost channels.
        NORMS,
        /// The matrices that read cut hidden channels.
        READERS,
        /// The matrices that read cut neurons and heads, and the seams where layers were cut.
        FULL
    }

    /// What decides which neurons and heads stay.
    public enum Selection {
        /// Minitron's importance (arXiv 2407.14679, section 2.2).
        ACTIVATION,
        /// The optimal brain surgeon: what least-squares cannot make good is kept (Hassibi and
        /// Stork 1993), with down-dates after each removal.
        OBS
    }

    /// What is used where nothing else is said.
    public static final RepairSettings DEFAULT =
            new RepairSettings(
                    Level.FULL,
                    Selection.OBS,
                    DepthChoice.INFLUENCE,
                    List.of(1e-4, 1e-3, 1e-2, 1e-1),
                    8);

    public RepairSettings {
        ridges = List.copyOf(ridges);
        if (ridges.isEmpty() || heldOut < 2) {
            throw new IllegalArgumentException("needs a ridge, and a part that is held out");
        }
    }

    /// Nothing is repaired, and importance decides.
    public static RepairSettings none() {
        return DEFAULT.with(Level.NONE).with(Selection.ACTIVATION);
    }

    public RepairSettings with(Level other) {
        return new RepairSettings(other, selection, depth, ridges, heldOut);
    }

    public RepairSettings with(Selection other) {
        return new RepairSettings(level, other, depth, ridges, heldOut);
    }

    public RepairSettings with(DepthChoice other) {
        return new RepairSettings(level, selection, other, ridges, heldOut);
    }

    /// All that decides the result, for cache keys and records.
    public String key() {
        return "%s %s ridges %s held out 1 in %d"
                .formatted(level, selection, ridges, heldOut)
                .toLowerCase(Locale.ROOT);
    }

    /// @throws UsageException if no constant has this name
    public static <E extends Enum<E>> E parse(Class<E> type, String name) {
        return Arrays.stream(type.getEnumConstants())
                .filter(e -> e.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new UsageException(
                                "`%s` is one of %s, not %s"
                                        .formatted(
                                                type.getSimpleName().toLowerCase(Locale.ROOT),
                                                Arrays.stream(type.getEnumConstants())
                                                        .map(e -> e.name().toLowerCase(Locale.ROOT))
                                                        .collect(Collectors.joining(", ")),
                                                name)));
    }
}
