package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.importance.Importance;
import dev.penjing.compression.importance.ImportanceFile;
import dev.penjing.compression.importance.Scorer;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.ModelFiles;
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
                        run(teacher, config, tokens, samples, length, seed, to, compute, progress));
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
                    TextConventions.ofFolder(model, tokenizer).documentEnd(),
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
            Compute compute,
            Progress progress) {
        int fitting =
                (int) Math.min(Math.min(length, config.maxPositionEmbeddings()), tokens.size() - 1);
        Sequences sequences = new Sequences(tokens, Math.max(1, fitting), seed);
        try (FlatParameters parameters =
                        FlatParameters.load(teacher, config, compute, compute.type());
                Decoder decoder = new Decoder(config, parameters, compute)) {
            Importance importance =
                    Scorer.score(
                            decoder,
                            sequences,
                            Math.min(samples, sequences.count()),
                            Math.max(1, 4096 / sequences.length()),
                            progress);
            ImportanceFile.write(to, importance, ModelFiles.sha256OfModel(teacher));
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new PenjingException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }
}
