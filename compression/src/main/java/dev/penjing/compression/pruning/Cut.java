package dev.penjing.compression.pruning;

import dev.penjing.compression.importance.Importance;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import dev.penjing.model.files.Hashes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Which parts of a teacher a student keeps: indices in the teacher, ascending.
///
/// @param parts by axis: of each of the teacher's layers where layers may differ, else one list for
///   all
public record Cut(Map<Axis, List<int[]>> parts) {
    public Cut {
        parts = new EnumMap<>(parts);
        if (parts.size() != Axis.values().length) {
            throw new IllegalArgumentException("a cut says what is kept along every axis");
        }
    }

    /// Everything.
    public static Cut nothing(ModelConfig teacher) {
        Map<Axis, List<int[]>> parts = new EnumMap<>(Axis.class);
        for (Axis axis : Axis.values()) {
            int[] all = IntStream.range(0, teacher.shape().get(axis)).toArray();
            int lists = axis.perLayer() ? teacher.numHiddenLayers() : 1;
            parts.put(axis, Collections.nCopies(lists, all));
        }
        return new Cut(parts);
    }

    /// The most important parts.
    ///
    /// @throws UsageException if a student of this shape cannot be cut from the teacher
    public static Cut best(ModelConfig teacher, Importance importance, Shape shape) {
        requireCuttable(teacher, shape);
        Cut cut = nothing(teacher);
        for (Axis axis : Importance.AXES) {
            List<int[]> kept = new ArrayList<>();
            for (int i = 0; i < cut.lists(axis).size(); i++) {
                kept.add(importance.kept(axis, i, teacher, shape.get(axis)));
            }
            cut = cut.with(axis, kept);
        }
        return cut;
    }

    /// Parts drawn at random: what importance is measured against.
    ///
    /// @throws UsageException if a student of this shape cannot be cut from the teacher
    public static Cut random(ModelConfig teacher, Shape shape, long seed) {
        requireCuttable(teacher, shape);
        Random random = new Random(seed);
        Map<Axis, List<int[]>> drawn = new EnumMap<>(Axis.class);
        for (int layer = 0; layer < teacher.numHiddenLayers(); layer++) {
            for (Axis axis : List.of(Axis.NEURON, Axis.QUERY_HEAD)) {
                drawn.computeIfAbsent(axis, a -> new ArrayList<>())
                        .add(draw(random, axis, teacher, shape.get(axis)));
            }
        }
        Cut cut = nothing(teacher);
        for (Axis axis : List.of(Axis.HIDDEN, Axis.LAYER)) {
            drawn.put(axis, List.of(draw(random, axis, teacher, shape.get(axis))));
        }
        for (Map.Entry<Axis, List<int[]>> entry : drawn.entrySet()) {
            cut = cut.with(entry.getKey(), entry.getValue());
        }
        return cut;
    }

    private static int[] draw(Random random, Axis axis, ModelConfig teacher, int count) {
        int groups = axis == Axis.QUERY_HEAD ? teacher.numKeyValueHeads() : 1;
        int size = teacher.shape().get(axis) / groups;
        return IntStream.range(0, groups)
                .flatMap(g -> {
                    List<Integer> all =
                            IntStream.range(g * size, (g + 1) * size)
                                    .boxed()
                                    .collect(Collectors.toList());
                    Collections.shuffle(all, random);
                    return all.stream().limit(count / groups).mapToInt(i -> i).sorted();
                })
                .toArray();
    }

    /// The same but for one axis.
    ///
    /// @param kept a list for each of the teacher's layers, or one
    public Cut with(Axis axis, List<int[]> kept) {
        Map<Axis, List<int[]>> other = new EnumMap<>(parts);
        other.put(axis, kept);
        return new Cut(other);
    }

    /// The same but for one axis in one of the teacher's layers.
    public Cut with(Axis axis, int layer, int[] kept) {
        List<int[]> lists = new ArrayList<>(lists(axis));
        lists.set(layer, kept);
        return with(axis, lists);
    }

    /// What is kept along an axis in one of the teacher's layers.
    public int[] kept(Axis axis, int layer) {
        return lists(axis).get(axis.perLayer() ? layer : 0);
    }

    /// Indices along several axes in one, the first the slowest; index 0 along none.
    ///
    /// @param axes of a tensor's rows or columns
    /// @param layer of the teacher's
    public int[] indices(List<Axis> axes, int layer, ModelConfig teacher) {
        int[] indices = {0};
        for (Axis axis : axes) {
            int size = teacher.shape().get(axis);
            int[] along = kept(axis, layer);
            int[] both = new int[indices.length * along.length];
            for (int i = 0; i < both.length; i++) {
                both[i] = indices[i / along.length] * size + along[i % along.length];
            }
            indices = both;
        }
        return indices;
    }

    /// The teacher's layers that the student has, in order.
    public int[] layers() {
        return kept(Axis.LAYER, 0);
    }

    /// The teacher's ids of the tokens that the student has, in order.
    public int[] tokens() {
        return kept(Axis.VOCABULARY, 0);
    }

    public boolean cutsVocabulary(ModelConfig teacher) {
        return tokens().length < teacher.vocabularySize();
    }

    /// Of each of the teacher's layers, or one for all.
    public List<int[]> lists(Axis axis) {
        return parts.getOrDefault(axis, List.of());
    }

    /// A hash of what is kept.
    public String key() {
        StringBuilder text = new StringBuilder();
        parts.forEach((axis, lists) -> {
            text.append(axis.key());
            lists.forEach(list -> text.append(Arrays.toString(list)));
        });
        return Hashes.sha256(text.toString());
    }

    /// The student's shape.
    public Shape shape() {
        return new Shape(
                parts.entrySet().stream()
                        .collect(
                                Collectors.toMap(
                                        Map.Entry::getKey, e -> e.getValue().getFirst().length)));
    }

    /// Whether importance can choose what a student of this shape keeps.
    ///
    /// @throws UsageException if a student of this shape cannot be cut from `teacher`; names the
    ///   nearest size that can
    public static void requireCuttable(ModelConfig teacher, Shape shape) {
        for (Axis axis : Axis.values()) {
            int size = shape.get(axis);
            int largest = teacher.shape().get(axis);
            if (!Importance.AXES.contains(axis)) {
                if (size != largest) {
                    throw new UsageException(
                            "%s cannot be cut: a student has the teacher's %d"
                                    .formatted(field(axis), largest));
                }
                continue;
            }
            int step = axis == Axis.QUERY_HEAD ? teacher.numKeyValueHeads() : 1;
            if (size >= step && size <= largest && size % step == 0) {
                continue;
            }
            int nearest = Math.clamp(Math.round(size / (double) step) * step, step, largest);
            String why =
                    size > largest
                            ? "is larger than the teacher's " + largest
                            : size < step
                                    ? "is too small"
                                    : "is not a multiple of the %d key-value heads".formatted(step);
            throw new UsageException(
                    "%s %d %s: the nearest that can be is %d"
                            .formatted(field(axis), size, why, nearest));
        }
    }

    /// `hiddenSize` for `hidden_size`.
    private static String field(Axis axis) {
        return Pattern.compile("_(.)")
                .matcher(axis.key())
                .replaceAll(m -> m.group(1).toUpperCase(Locale.ROOT));
    }
}
