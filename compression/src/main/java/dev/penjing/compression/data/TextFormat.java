package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import dev.penjing.model.rows.Compressed;
import java.nio.file.Path;
import java.util.List;

/// What a file of texts looks like, by its name: in capitals or not, compressed or not.
enum TextFormat {
    /// A JSON object a line, with a "text".
    LINES(".jsonl", ".ndjson"),

    /// JSON objects with a "text", in an array or one behind another.
    OBJECTS(".json"),

    /// A table with a column "text".
    TABLE(".csv", ".parquet"),

    /// One text. Any other name is taken for this.
    PLAIN(".txt");

    /// Names of what is surely no text: it would be learned byte by byte.
    private static final List<String> OTHERS =
            List.of(
                    ".tsv",
                    ".arrow",
                    ".zip",
                    ".xz",
                    ".bz2",
                    ".tar",
                    ".tgz",
                    ".pdf",
                    ".docx",
                    ".xlsx",
                    ".html",
                    ".safetensors",
                    ".gguf",
                    ".bin");

    private final List<String> endings;

    TextFormat(String... endings) {
        this.endings = List.of(endings);
    }

    private boolean hasEnding(String name) {
        return endings.stream().anyMatch(name::endsWith);
    }

    /// @throws PenjingException if the name says that it is none of these
    static TextFormat of(Path file) {
        String name = Compressed.plainName(file);
        for (String ending : OTHERS) {
            if (name.endsWith(ending)) {
                throw new PenjingException(
                        "%s is no text that can be learned (%s): give `data` as .jsonl, .json, .csv or .parquet (with \"text\"), or as a text file, each of them compressed by gzip or zstd, or not"
                                .formatted(file, ending));
            }
        }
        return List.of(values()).stream()
                .filter(format -> format.hasEnding(name))
                .findFirst()
                .orElse(PLAIN);
    }

    /// Whether a file in a folder that was given as data is one of its texts. Single JSON files are
    /// settings more often than texts, and CSV files tables of something else: they count only
    /// where they are named.
    static boolean isTextInFolder(Path file) {
        String name = Compressed.plainName(file);
        return LINES.hasEnding(name) || PLAIN.hasEnding(name) || name.endsWith(".parquet");
    }
}
