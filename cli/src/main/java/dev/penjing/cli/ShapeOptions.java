package dev.penjing.cli;

import dev.penjing.compression.pruning.Shape;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Optional;
import picocli.CommandLine.Option;

/// The student's widths; what is not given stays the teacher's.
final class ShapeOptions {
    @Option(names = "--hidden-size", description = "Hidden channels to keep.")
    Optional<Integer> hiddenSize = Optional.empty();

    @Option(names = "--intermediate-size", description = "MLP neurons to keep in each layer.")
    Optional<Integer> intermediateSize = Optional.empty();

    @Option(
            names = "--num-attention-heads",
            description =
                    "Attention heads to keep in each layer: a multiple of the key-value heads.")
    Optional<Integer> numAttentionHeads = Optional.empty();

    Shape shape(ModelConfig teacher) {
        if (hiddenSize.isEmpty() && intermediateSize.isEmpty() && numAttentionHeads.isEmpty()) {
            throw new UsageException(
                    "say what to cut: --hidden-size (now %d), --intermediate-size (%d) or --num-attention-heads (%d)"
                            .formatted(
                                    teacher.hiddenSize(),
                                    teacher.intermediateSize(),
                                    teacher.numAttentionHeads()));
        }
        return new Shape(
                hiddenSize.orElse(teacher.hiddenSize()),
                intermediateSize.orElse(teacher.intermediateSize()),
                numAttentionHeads.orElse(teacher.numAttentionHeads()));
    }
}
