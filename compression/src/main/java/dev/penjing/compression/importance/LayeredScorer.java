package dev.penjing.compression.importance;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.layerwise.TeacherStream;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Path;

/// The same scores as [Scorer#score], for models that do not fit in memory: one layer at a time,
/// hidden states in files, and sums put down after each layer.
public final class LayeredScorer {
    private LayeredScorer() {}

    /// @param work a folder for what is unfinished, removed in the end
    /// @param key of teacher, text and arithmetic: work on something else is not gone on with
    public static Importance score(
            Path teacher,
            ModelConfig config,
            Sequences data,
            int samples,
            Compute compute,
            Path work,
            String key,
            Progress progress) {
        try (Checkpoint checkpoint = Checkpoint.open(teacher)) {
            checkpoint.check(config);
            try (Scorer scorer = new Scorer(config, compute, data.length());
                    TeacherStream stream =
                            new TeacherStream(
                                    checkpoint,
                                    config,
                                    Calibration.whole(data, samples),
                                    compute,
                                    work,
                                    key)) {
                if (stream.layersDone() > 0) {
                    scorer.restore(
                            ImportanceFile.readSums(sums(work, stream.layersDone()), config),
                            compute);
                }
                stream.walk(
                        scorer,
                        layer -> {
                            ImportanceFile.writeSums(sums(work, layer + 1), scorer.sums());
                            progress.update("score", layer + 1, config.numHiddenLayers(), "layers");
                        });
                Importance importance = scorer.result(samples);
                stream.delete();
                return importance;
            }
        }
    }

    private static Path sums(Path work, int layersDone) {
        return work.resolve("sums-" + layersDone + ".safetensors");
    }
}
