package dev.penjing.compression.pruning;

import dev.penjing.compression.importance.Importance;
import dev.penjing.model.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Which parts of a teacher a student keeps: indices in the teacher, ascending.
///
/// @param channels hidden channels, the same in every layer
/// @param neurons by layer
/// @param heads attention heads by layer, as many of each key-value group
public record Cut(int[] channels, List<int[]> neurons, List<int[]> heads) {
    /// The most important parts.
    public static Cut best(ModelConfig teacher, Importance importance, Shape shape) {
        shape.requireCuttableFrom(teacher);
        List<int[]> neurons = new ArrayList<>();
        List<int[]> heads = new ArrayList<>();
        for (int layer = 0; layer < teacher.numHiddenLayers(); layer++) {
            neurons.add(importance.keptNeurons(layer, shape.intermediateSize()));
            heads.add(importance.keptHeads(layer, teacher, shape.numAttentionHeads()));
        }
        return new Cut(importance.keptChannels(shape.hiddenSize()), neurons, heads);
    }

    /// Parts drawn at random: what importance is measured against.
    public static Cut random(ModelConfig teacher, Shape shape, long seed) {
        shape.requireCuttableFrom(teacher);
        Random random = new Random(seed);
        List<int[]> neurons = new ArrayList<>();
        List<int[]> heads = new ArrayList<>();
        int groups = teacher.numKeyValueHeads();
        int size = teacher.numAttentionHeads() / groups;
        for (int layer = 0; layer < teacher.numHiddenLayers(); layer++) {
            neurons.add(draw(random, 0, teacher.intermediateSize(), shape.intermediateSize()));
            heads.add(
                    IntStream.range(0, groups)
                            .flatMap(g ->
                                    IntStream.of(
                                            draw(
                                                    random,
                                                    g * size,
                                                    (g + 1) * size,
                                                    shape.numAttentionHeads() / groups)))
                            .toArray());
        }
        return new Cut(draw(random, 0, teacher.hiddenSize(), shape.hiddenSize()), neurons, heads);
    }

    private static int[] draw(Random random, int from, int to, int count) {
        List<Integer> all = IntStream.range(from, to).boxed().collect(Collectors.toList());
        Collections.shuffle(all, random);
        return all.stream().limit(count).mapToInt(Integer::intValue).sorted().toArray();
    }
}
