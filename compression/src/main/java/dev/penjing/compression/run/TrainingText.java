package dev.penjing.compression.run;

import dev.penjing.compression.data.Corpus;
import dev.penjing.compression.data.DocumentMarks;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.model.Closer;
import dev.penjing.model.Progress;
import dev.penjing.model.files.Hashes;
import dev.penjing.model.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What is trained on and what is measured on, as token ids. Owns the mapped files.
///
/// @param hash of all that the ids come from: tokenizer, documents, and what is kept back
/// @param owned the files to close
public record TrainingText(
        TokenFile training, TokenFile heldOut, String hash, List<TokenFile> owned)
        implements AutoCloseable {
    /// Tokens kept back for measuring where no held-out text is given, at most.
    private static final long KEPT_BACK = 200_000;

    /// Tokenises `data` and `heldOut` into `folder`, unless that has been done. Without held-out
    /// text the last twentieth of the data is kept back.
    ///
    /// @param marks what stands around each document
    /// @param tokenizerHash of the tokenizer's file or its model's folder
    public static TrainingText of(
            Corpus data,
            Optional<Corpus> heldOut,
            Tokenizer tokenizer,
            DocumentMarks marks,
            String tokenizerHash,
            Path folder,
            Progress progress) {
        Source source = new Source(tokenizer, marks, tokenizerHash, folder);
        try (Closer closer = new Closer()) {
            TokenFile all = closer.own(source.tokens(data, progress), TokenFile::close);
            TrainingText text;
            if (heldOut.isPresent()) {
                TokenFile measured =
                        closer.own(source.tokens(heldOut.get(), progress), TokenFile::close);
                String hash = shortHash(source.hash(data) + " and " + source.hash(heldOut.get()));
                text = new TrainingText(all, measured, hash, List.of(all, measured));
            } else {
                long split = all.size() - Math.min(KEPT_BACK, all.size() / 20);
                String hash = shortHash(source.hash(data) + " up to " + split);
                text =
                        new TrainingText(
                                all.part(0, split),
                                all.part(split, all.size()),
                                hash,
                                List.of(all));
            }
            closer.keep();
            return text;
        }
    }

    static String shortHash(String text) {
        return Hashes.sha256(text).substring(0, 16);
    }

    /// Hashes of a corpus's files. How a file is read is known by its name's end.
    static String contents(Corpus corpus) {
        StringBuilder parts = new StringBuilder();
        for (Path file : corpus.files()) {
            parts.append(" %s %s".formatted(Corpus.reading(file), Hashes.sha256(file)));
        }
        return parts.toString();
    }

    private record Source(
            Tokenizer tokenizer, DocumentMarks marks, String tokenizerHash, Path folder) {
        String hash(Corpus corpus) {
            return shortHash("tokens 2 %s %s".formatted(tokenizerHash, marks) + contents(corpus));
        }

        TokenFile tokens(Corpus corpus, Progress progress) {
            Path file = folder.resolve("tokens-" + hash(corpus) + ".bin");
            if (!Files.exists(file)) {
                TokenFile.write(corpus, tokenizer, marks, file, Long.MAX_VALUE, progress);
            }
            return TokenFile.open(file);
        }
    }

    @Override
    public void close() {
        owned.forEach(TokenFile::close);
    }
}
