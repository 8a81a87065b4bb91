package dev.penjing.compression.data;

import dev.penjing.model.PenjingException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What a file of texts looks like, by its name: in capitals or not, compressed by gzip or not.
enum TextFormat {
    /// A JSON object a line, with a "text".
    LINES(".jsonl", ".ndjson"),

    /// JSON objects with a "text", in an array or one behind another.
    OBJECTS(".json"),

    /// One text. Any other name is taken for this.
    PLAIN(".txt");

    private static final String GZIP = ".gz";

    /// Names of what is surely no text: it would be learned byte by byte.
    private static final List<String> OTHERS =
            List.of(
                    ".csv",
                    ".tsv",
                    ".parquet",
                    ".arrow",
                    ".zst",
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

    private static String name(Path file) {
        return file.toString().toLowerCase(Locale.ROOT);
    }

    static boolean isCompressed(Path file) {
        return name(file).endsWith(GZIP);
    }

    private boolean hasEnding(String name) {
        return endings.stream().anyMatch(name::endsWith);
    }

    private static String uncompressed(Path file) {
        String name = name(file);
        return name.endsWith(GZIP) ? name.substring(0, name.length() - GZIP.length()) : name;
    }

    /// @throws PenjingException if the name says that it is none of these
    static TextFormat of(Path file) {
        String name = uncompressed(file);
        for (String ending : OTHERS) {
            if (name.endsWith(ending)) {
                throw new PenjingException(
                        "%s is no text that can be learned (%s): give `data` as .jsonl or .json ({\"text\": ...}), or as a text file, each of them with .gz or without"
                                .formatted(file, ending));
            }
        }
        return List.of(values()).stream()
                .filter(format -> format.hasEnding(name))
                .findFirst()
                .orElse(PLAIN);
    }

    /// Whether a file in a folder that was given as data is one of its texts. Single JSON files are
    /// settings more often than texts: they count only where they are named.
    static boolean isTextInFolder(Path file) {
        String name = uncompressed(file);
        return LINES.hasEnding(name) || PLAIN.hasEnding(name);
    }
}
