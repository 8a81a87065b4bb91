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

    private SpecialTokens(JsonNode settings) {
        this.settings = settings;
    }

    /// @throws PenjingException if there is such a file and it cannot be read
    public static SpecialTokens of(Path directory) {
        Path file = directory.resolve("tokenizer_config.json");
        try {
            return new SpecialTokens(
                    Files.isRegularFile(file)
                            ? JSON.readTree(Files.readString(file))
                            : JSON.createObjectNode());
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
}
