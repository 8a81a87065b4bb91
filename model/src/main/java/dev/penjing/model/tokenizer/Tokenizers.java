package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.AtomicFile;
import dev.penjing.model.files.JsonText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Where tokenizers come from and go to.
public final class Tokenizers {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final long LARGEST = 256L << 20;

    private Tokenizers() {}

    /// A model may have more tokens than its tokenizer (padding), never fewer.
    ///
    /// @param where the tokenizer is from
    /// @throws PenjingException if it has fewer
    public static void requireFits(Tokenizer tokenizer, ModelConfig config, Path where) {
        if (tokenizer.vocabularySize() > config.vocabularySize()) {
            throw new PenjingException(
                    "the tokenizer of %s has %d tokens, the model only %d: they do not belong together; put the model's own tokenizer.json there"
                            .formatted(where, tokenizer.vocabularySize(), config.vocabularySize()));
        }
    }

    /// @param path a `tokenizer.json`, or a directory that holds one
    /// @throws PenjingException if there is none, or one that is not understood
    public static Tokenizer load(Path path) {
        Path file = Files.isDirectory(path) ? path.resolve("tokenizer.json") : path;
        try {
            if (!Files.isRegularFile(file)) {
                throw new PenjingException(
                        "there is no tokenizer at "
                                + file
                                + ": put the model's tokenizer.json there");
            }
            if (Files.size(file) > LARGEST) {
                throw new PenjingException(file + " is too large to be a tokenizer");
            }
            return TokenizerJson.read(JsonText.read(file), file.toString());
        } catch (IOException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// From the metadata of a GGUF file.
    ///
    /// @param metadata strings as `String`, numbers as `Number`, arrays as `String[]`, `float[]`
    ///   and `int[]`
    public static Tokenizer fromGguf(Map<String, Object> metadata) {
        return TokenizerJson.read(GgufTokenizer.json(metadata), "of the GGUF file");
    }

    /// Writes `tokenizer.json` to a directory.
    ///
    /// @throws PenjingException if the disk refuses; an older file is then still there, whole
    public static void save(Tokenizer tokenizer, Path directory) {
        write(json(tokenizer), directory);
    }

    /// Writes `tokenizer.json` with another post-processor.
    public static void save(Tokenizer tokenizer, JsonNode postProcessor, Path directory) {
        ObjectNode json = json(tokenizer).deepCopy();
        json.set("post_processor", postProcessor);
        write(json, directory);
    }

    private static ObjectNode json(Tokenizer tokenizer) {
        if (!(tokenizer instanceof BpeTokenizer bpe)) {
            throw new IllegalArgumentException("not a tokenizer of ours");
        }
        return bpe.json();
    }

    private static void write(ObjectNode json, Path directory) {
        AtomicFile.write(
                directory.resolve("tokenizer.json"),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json));
    }
}
