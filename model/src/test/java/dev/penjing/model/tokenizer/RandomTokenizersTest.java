package dev.penjing.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Tokenizers with random options (normalizers, Metaspace and its schemes, ByteLevel, digits; added
/// tokens in given and normalised text, which swallow white space or not) on random texts of many
/// scripts: the ids of Hugging Face's library. `src/test/oracle/random_tokenizers.py` wrote them;
/// `-Dpenjing.tokenizers=FILE` names another file of the kind, not compressed.
class RandomTokenizersTest {
    private static InputStream lines() throws IOException {
        String file = System.getProperty("penjing.tokenizers", "");
        if (!file.isEmpty()) {
            return Files.newInputStream(Path.of(file));
        }
        InputStream in =
                RandomTokenizersTest.class.getResourceAsStream("/tokenizers/random.jsonl.gz");
        assertThat(in).isNotNull();
        return new GZIPInputStream(in);
    }

    @Test
    void idsAreThoseOfTheLibrary() throws IOException {
        int compared = 0;
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(lines(), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                JsonNode json = JsonMapper.shared().readTree(line);
                Tokenizer tokenizer = TokenizerJson.read(json.path("tokenizer"), "random");
                for (int i = 0; i < json.path("texts").size(); i++) {
                    String text = json.path("texts").get(i).stringValue();
                    int[] expected =
                            json.path("ids")
                                    .get(i)
                                    .valueStream()
                                    .mapToInt(JsonNode::asInt)
                                    .toArray();
                    assertThat(tokenizer.encode(text))
                            .as(
                                    "%s by %s, %s, %s",
                                    JsonMapper.shared().writeValueAsString(text),
                                    json.at("/tokenizer/normalizer"),
                                    json.at("/tokenizer/pre_tokenizer"),
                                    json.at("/tokenizer/added_tokens"))
                            .isEqualTo(expected);
                    compared++;
                }
            }
        }
        assertThat(compared).isGreaterThanOrEqualTo(480);
    }
}
