package dev.penjing.compression.importance;

import dev.penjing.model.architecture.ModelConfig;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// How much each part of a model matters, from forward passes alone (Minitron, arXiv 2407.14679,
/// section 2.2): for each sample the mean of |activation| over the sequence, then the L2 norm over
/// all samples.
///
/// @param neurons `[layers][F]`: input of `down_proj`
/// @param heads `[layers][H * E]`: input of `o_proj`, element by element
/// @param channels `[2 * layers][D]`: outputs of both norms of each layer
/// @param layers `[layers]`: block influence, the mean of 1 - cos(input, output) over tokens
///   (ShortGPT, arXiv 2403.03853)
/// @param samples sequences looked at
public record Importance(
        float[][] neurons, float[][] heads, float[][] channels, float[] layers, long samples) {

    /// One score a hidden channel for the whole network, since all layers share the residual
    /// stream: the sum over all norms.
    public double[] channelScores() {
        double[] sum = new double[channels[0].length];
        for (float[] norm : channels) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += norm[i];
            }
        }
        return sum;
    }

    /// One score a head of a layer: the L2 norm over the head dimension, `[H]`.
    public double[] headScores(int layer, int headDim) {
        float[] elements = heads[layer];
        double[] scores = new double[elements.length / headDim];
        for (int h = 0; h < scores.length; h++) {
            double sum = 0;
            for (int e = 0; e < headDim; e++) {
                double x = elements[h * headDim + e];
                sum += x * x;
            }
            scores[h] = Math.sqrt(sum);
        }
        return scores;
    }

    /// The `count` channels to keep, ascending.
    public int[] keptChannels(int count) {
        return best(channelScores(), 0, channels[0].length, count);
    }

    /// The `count` neurons of a layer to keep, ascending.
    public int[] keptNeurons(int layer, int count) {
        double[] scores = new double[neurons[layer].length];
        Arrays.setAll(scores, i -> neurons[layer][i]);
        return best(scores, 0, scores.length, count);
    }

    /// The `count` heads of a layer to keep, ascending: the best of each key-value group, as many
    /// from each, so that every group keeps its keys and values.
    public int[] keptHeads(int layer, ModelConfig config, int count) {
        double[] scores = headScores(layer, config.headDim());
        int groups = config.numKeyValueHeads();
        int size = config.numAttentionHeads() / groups;
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
