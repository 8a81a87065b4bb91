package dev.penjing.cli;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.run.VocabularyChoice;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Shape;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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

    @Option(
            names = "--vocab-size",
            description =
                    "Tokens to keep: those that the text of --vocab-data (or --data) needs most.")
    Optional<Integer> vocabularySize = Optional.empty();

    @Option(
            names = "--vocab-data",
            arity = "1..*",
            description =
                    "Text whose tokens are kept, with special tokens and bytes; all of them without --vocab-size.")
    List<Path> vocabularyData = List.of();

    /// Whether importance has nothing to choose.
    boolean onlyVocabulary() {
        return sizes.isEmpty() && cutsVocabulary();
    }

    private boolean cutsVocabulary() {
        return vocabularySize.isPresent() || !vocabularyData.isEmpty();
    }

    /// @param otherwise the text where --vocab-data is not given
    Optional<VocabularyChoice> vocabulary(List<Path> otherwise) {
        if (!cutsVocabulary()) {
            return Optional.empty();
        }
        List<Path> data = vocabularyData.isEmpty() ? otherwise : vocabularyData;
        if (data.isEmpty()) {
            throw new UsageException(
                    "--vocab-size needs a text to choose tokens by: give --vocab-data");
        }
        OptionalInt size = vocabularySize.map(OptionalInt::of).orElse(OptionalInt.empty());
        return Optional.of(new VocabularyChoice(size, Corpus.of(data)));
    }

    Shape shape(ModelConfig teacher) {
        if (sizes.isEmpty() && !cutsVocabulary()) {
            throw new UsageException(
                    "say what to cut, smaller than in the teacher: "
                            + Importance.AXES.stream()
                                    .map(axis ->
                                            option(axis)
                                                    + " (now "
                                                    + teacher.shape().get(axis)
                                                    + ")")
                                    .collect(Collectors.joining(", "))
                            + ", "
                            + option(Axis.VOCABULARY)
                            + " (now "
                            + teacher.vocabularySize()
                            + ")");
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
