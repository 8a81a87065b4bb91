package dev.penjing.cli;

import dev.penjing.compression.importance.Importance;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/// The student's sizes; what is not given stays the teacher's.
final class ShapeOptions {
    private final Map<Axis, Integer> sizes = new EnumMap<>(Axis.class);

    @Option(names = "--hidden-size", description = "Hidden channels to keep.")
    void hiddenSize(int size) {
        sizes.put(Axis.HIDDEN, size);
    }

    @Option(names = "--intermediate-size", description = "MLP neurons to keep in each layer.")
    void intermediateSize(int size) {
        sizes.put(Axis.NEURON, size);
    }

    @Option(
            names = "--num-attention-heads",
            description =
                    "Attention heads to keep in each layer: a multiple of the key-value heads.")
    void numAttentionHeads(int size) {
        sizes.put(Axis.QUERY_HEAD, size);
    }

    @Option(
            names = "--num-hidden-layers",
            description = "Layers to keep: those that change the hidden states most.")
    void numHiddenLayers(int size) {
        sizes.put(Axis.LAYER, size);
    }

    Shape shape(ModelConfig teacher) {
        if (sizes.isEmpty()) {
            throw new UsageException(
                    "say what to cut, smaller than in the teacher: "
                            + Importance.AXES.stream()
                                    .map(axis ->
                                            option(axis)
                                                    + " (now "
                                                    + teacher.shape().get(axis)
                                                    + ")")
                                    .collect(Collectors.joining(", ")));
        }
        Shape shape = teacher.shape();
        for (Map.Entry<Axis, Integer> size : sizes.entrySet()) {
            shape = shape.with(size.getKey(), size.getValue());
        }
        return shape;
    }

    private static String option(Axis axis) {
        return "--" + axis.key().replace('_', '-');
    }
}
