package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.importance.ImportanceFile;
import dev.penjing.compression.importance.LayeredScorer;
import dev.penjing.compression.importance.Scorer;
import dev.penjing.compression.layerwise.Calibration;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.ModelFiles;
import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.text.TextConventions;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/// `score`: the importance of a teacher's parts, as a file.
public final class Scoring {
    private Scoring() {}

    /// Scores on text.
    public static void run(
            Path teacher,
            Corpus data,
            int samples,
            int length,
            long seed,
            Path to,
            Memory memory,
            Compute compute,
            Progress progress) {
        if (samples < 1) {
            throw new UsageException("samples must be at least 1");
        }
        if (length < 2) {
            throw new UsageException("`sequenceLength` must be at least 2");
        }
        ModelConfig config = ModelConfig.read(teacher.resolve("config.json"));
        withTokens(
                teacher,
                data,
                to,
                progress,
                tokens ->
                        run(
                                teacher, config, tokens, samples, length, seed, to, memory, compute,
                                progress));
    }

    /// Tokenises a text beside what is made of it, for as long as `work` takes.
    static void withTokens(
            Path model, Corpus data, Path to, Progress progress, Consumer<TokenFile> work) {
        Tokenizer tokenizer = Tokenizers.load(model);
        Tokenizers.requireFits(tokenizer, ModelConfig.read(model.resolve("config.json")), model);
        Path tokens = to.resolveSibling(to.toAbsolutePath().getFileName() + ".tokens");
        try {
            TokenFile.write(
                    data,
                    tokenizer,
                    DocumentMarks.of(TextConventions.ofFolder(model, tokenizer)),
                    tokens,
                    Long.MAX_VALUE,
                    progress);
            try (TokenFile file = TokenFile.open(tokens)) {
                work.accept(file);
            }
        } finally {
            delete(tokens);
        }
    }

    /// Scores on tokens.
    static void run(
            Path teacher,
            ModelConfig config,
            TokenFile tokens,
            int samples,
            int length,
            long seed,
            Path to,
            Memory memory,
            Compute compute,
            Progress progress) {
        int fitting =
                (int) Math.min(Math.min(length, config.maxPositionEmbeddings()), tokens.size() - 1);
        Sequences sequences = new Sequences(tokens, Math.max(1, fitting), seed);
        int count = Math.min(samples, sequences.count());
        String hash = ModelFiles.sha256OfModel(teacher);
        Importance importance =
                memory.inLayers(config, compute)
                        ? inLayers(
                                teacher, config, tokens, sequences, count, seed, hash, to, compute,
                                progress)
                        : whole(teacher, config, sequences, count, compute, progress);
        ImportanceFile.write(to, importance, hash);
    }

    private static Importance whole(
            Path teacher,
            ModelConfig config,
            Sequences sequences,
            int samples,
            Compute compute,
            Progress progress) {
        try (FlatParameters parameters =
                        FlatParameters.load(teacher, config, compute, compute.type());
                Decoder decoder = new Decoder(config, parameters, compute)) {
            int microBatch = Math.max(1, Calibration.BATCH_TOKENS / sequences.length());
            return Scorer.score(decoder, sequences, samples, microBatch, progress);
        }
    }

    private static Importance inLayers(
            Path teacher,
            ModelConfig config,
            TokenFile tokens,
            Sequences sequences,
            int samples,
            long seed,
            String teacherHash,
            Path to,
            Compute compute,
            Progress progress) {
        String key =
                Fingerprint.of("score in layers", 1)
                        .with("teacher", teacherHash)
                        .with("text", tokens.sha256())
                        .with("samples", samples)
                        .with("length", sequences.length())
                        .with("seed", seed)
                        .with("arithmetic", compute.arithmetic().releaseKey())
                        .sha256();
        Path work = to.resolveSibling(to.toAbsolutePath().getFileName() + ".work");
        return LayeredScorer.score(
                teacher, config, sequences, samples, compute, work, key, progress);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }
}
