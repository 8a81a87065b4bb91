package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.layerwise.TeacherStream;
import dev.penjing.compression.quantization.LayerInputs;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.Folders;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Path;

/// A GGUF file whose weights are rounded by what a text says of their inputs.
public final class Quantizing {
    private Quantizing() {}

    /// @param samples sequences of the text
    /// @param length tokens in each
    /// @throws dev.penjing.model.PenjingException if the text is shorter than a sequence, or GGUF
    ///   cannot say what the model is
    public static void run(
            Path model,
            Path to,
            FileType type,
            Corpus data,
            int samples,
            int length,
            long seed,
            Compute compute,
            Progress progress) {
        Scoring.withTokens(
                model,
                data,
                to,
                progress,
                tokens -> run(model, to, type, tokens, samples, length, seed, compute, progress));
    }

    private static void run(
            Path model,
            Path to,
            FileType type,
            TokenFile tokens,
            int samples,
            int length,
            long seed,
            Compute compute,
            Progress progress) {
        ModelConfig config = ModelConfig.read(model.resolve("config.json"));
        int most = Math.min(length, config.maxPositionEmbeddings());
        int fitting = (int) Math.min(most, tokens.size() - 1);
        Sequences text = new Sequences(tokens, Math.max(2, fitting), seed);
        Path work = to.resolveSibling(to.toAbsolutePath().getFileName() + ".states");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            checkpoint.check(config);
            try (TeacherStream stream =
                    TeacherStream.anew(
                            checkpoint, config, Calibration.whole(text, samples), compute, work)) {
                GgufExport.run(model, to, type, new LayerInputs(config, stream), progress);
            }
        } finally {
            Folders.delete(work);
        }
    }
}
