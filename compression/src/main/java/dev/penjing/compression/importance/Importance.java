package dev.penjing.compression.importance;

import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// How much each part of a model matters, from forward passes alone (Minitron, arXiv 2407.14679,
/// section 2.2): for each sample the mean of |activation| over the sequence, then the L2 norm over
/// all samples.
///
/// | axis | rows | of |
/// | --- | --- | --- |
/// | `NEURON` | `[layers][F]` | the input of the MLP's last matrix |
/// | `QUERY_HEAD` | `[layers][H * E]` | the input of attention's last matrix, element by element |
/// | `HIDDEN` | `[2 * layers][D]` | the outputs of both norms of each layer |
/// | `LAYER` | `[1][layers]` | block influence, the mean of 1 - cos(input, output) over tokens (ShortGPT, arXiv 2403.03853) |
///
/// @param activations rows by axis, for every axis in [#AXES]
/// @param samples sequences looked at
public record Importance(Map<Axis, float[][]> activations, long samples) {
    /// The axes whose parts are scored, and so can be cut.
    public static final List<Axis> AXES =
            List.of(Axis.HIDDEN, Axis.NEURON, Axis.QUERY_HEAD, Axis.LAYER);

    public Importance {
        activations = new EnumMap<>(activations);
        if (!activations.keySet().containsAll(AXES)) {
            throw new IllegalArgumentException("importance knows every one of " + AXES);
        }
    }

    /// How many rows an axis has.
    static int rows(Axis axis, ModelConfig config) {
        return switch (axis) {
            case HIDDEN -> 2 * config.numHiddenLayers();
            case LAYER -> 1;
            default -> config.numHiddenLayers();
        };
    }

    /// How long a row is.
    static int width(Axis axis, ModelConfig config) {
        return axis == Axis.QUERY_HEAD
                ? config.numAttentionHeads() * config.headDim()
                : config.shape().get(axis);
    }

    public float[][] of(Axis axis) {
        return activations.getOrDefault(axis, new float[0][]);
    }

    /// One score a part. Of hidden channels, which all layers share, it is the sum over all norms,
    /// of a head the L2 norm over its dimensions.
    ///
    /// @param layer whose parts, where each layer has its own
    public double[] scores(Axis axis, int layer, ModelConfig config) {
        double[] scores = new double[config.shape().get(axis)];
        switch (axis) {
            case HIDDEN -> {
                for (float[] norm : of(axis)) {
                    for (int i = 0; i < scores.length; i++) {
                        scores[i] += norm[i];
                    }
                }
            }
            case QUERY_HEAD -> {
                int e = config.headDim();
                for (int h = 0; h < scores.length; h++) {
                    double sum = 0;
                    for (int i = h * e; i < (h + 1) * e; i++) {
                        double x = of(axis)[layer][i];
                        sum += x * x;
                    }
                    scores[h] = Math.sqrt(sum);
                }
            }
            default -> {
                float[] row = of(axis)[axis.perLayer() ? layer : 0];
                Arrays.setAll(scores, i -> row[i]);
            }
        }
        return scores;
    }

    /// The `count` parts to keep, ascending. Of heads as many are kept of each key-value group, so
    /// that every group keeps its keys and values.
    public int[] kept(Axis axis, int layer, ModelConfig config, int count) {
        double[] scores = scores(axis, layer, config);
        int groups = axis == Axis.QUERY_HEAD ? config.numKeyValueHeads() : 1;
        int size = scores.length / groups;
        return IntStream.range(0, groups)
                .flatMap(g -> Arrays.stream(best(scores, g * size, (g + 1) * size, count / groups)))
                .toArray();
    }

    /// Indices of the `count` largest of `scores[from..to)`, ascending. Of equals the first wins.
    private static int[] best(double[] scores, int from, int to, int count) {
        return IntStream.range(from, to)
                .boxed()
                .sorted(
                        Comparator.comparingDouble((Integer i) -> -scores[i])
                                .thenComparing(Comparator.naturalOrder()))
                .limit(count)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }
}
