package dev.penjing.model.tokenizer;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What `tokenizer_config.json` calls a model's special tokens.
public final class SpecialTokens {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final JsonNode settings;
    private final Path directory;

    private SpecialTokens(JsonNode settings, Path directory) {
        this.settings = settings;
        this.directory = directory;
    }

    /// @throws PenjingException if there is such a file and it cannot be read
    public static SpecialTokens of(Path directory) {
        return new SpecialTokens(read(directory.resolve("tokenizer_config.json")), directory);
    }

    private static JsonNode read(Path file) {
        try {
            return Files.isRegularFile(file)
                    ? JSON.readTree(Files.readString(file))
                    : JSON.createObjectNode();
        } catch (IOException | JacksonException e) {
            throw new PenjingException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// How a token is written; empty if there is none.
    ///
    /// @param name `bos`, `eos`, `pad` or `unk`
    public String text(String name) {
        JsonNode token = settings.path(name + "_token");
        return token.isString() ? token.stringValue() : token.path("content").asString("");
    }

    /// Whether the model's texts begin with the `bos` token unless one asks for a plain text:
    /// `add_bos_token` says so, or the template of tokenizer.json's post-processor.
    public boolean beginsTexts() {
        JsonNode said = settings.path("add_bos_token");
        if (said.isBoolean()) {
            return said.booleanValue();
        }
        JsonNode processor = read(directory.resolve("tokenizer.json")).path("post_processor");
        if (begins(processor)) {
            return true;
        }
        for (JsonNode one : processor.path("processors")) {
            if (begins(one)) {
                return true;
            }
        }
        return false;
    }

    private boolean begins(JsonNode processor) {
        String first = processor.at("/single/0/SpecialToken/id").asString("");
        return !first.isEmpty() && first.equals(text("bos"));
    }
}
