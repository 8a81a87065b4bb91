package dev.penjing.model.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class InspectionTest {
    /// By hand: 1536 x 256 of the embedding, which is the head too; four layers of 256 x (256 + 2 x
    /// 128 + 256) of attention, 3 x 256 x 704 of the MLP and two norms; the last norm.
    @Test
    void countsTheBundledTeacher() {
        ObjectNode teacher = Inspection.of("teacher", Path.of("../teacher"));
        long layers = 4L * (256 * (256 + 2 * 128 + 256) + 3 * 256 * 704 + 2 * 256) + 256;
        assertThat(teacher.path("non_embedding_parameters").asLong()).isEqualTo(layers);
        assertThat(teacher.path("parameters").asLong()).isEqualTo(layers + 1536 * 256);
        assertThat(teacher.path("bytes").asLong()).isEqualTo(2 * (layers + 1536 * 256));
        assertThat(teacher.path("bytes_by_dtype").path("BF16").asLong())
                .isEqualTo(teacher.path("bytes").asLong());
        // keys and values of four layers, four heads of 32, in 16 bits
        assertThat(teacher.path("kv_bytes_per_token").asLong()).isEqualTo(2 * 4 * 4 * 32 * 2);
        assertThat(Inspection.text(teacher)).contains("hidden_size              256");
    }

    /// llama.cpp and transformers would read beyond the embedding for the last token.
    @Test
    void saysWhereATokenizerHasMoreTokensThanTheModel(@TempDir Path folder) throws IOException {
        Path teacher = Path.of("../teacher");
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(teacher.resolve(name), folder.resolve(name));
        }
        String tokenizer = Files.readString(teacher.resolve("tokenizer.json"));
        Files.writeString(
                folder.resolve("tokenizer.json"),
                tokenizer.replaceFirst(
                        "\"added_tokens\" *: *\\[",
                        "$0{\"id\": 1536, \"content\": \"<more>\", \"special\": true},"));
        ObjectNode result = Inspection.of("more", folder);
        assertThat(result.path("tokens").asInt()).isEqualTo(1537);
        assertThat(Inspection.text(result))
                .contains("tokens                   1,537")
                .contains("has 1537 tokens, the model only 1536");
        assertThat(Inspection.text(Inspection.of("teacher", teacher)))
                .contains("tokens                   1,536")
                .doesNotContain("the model only");
        Files.delete(folder.resolve("tokenizer.json"));
        assertThat(Inspection.text(Inspection.of("none", folder)))
                .contains("there is no tokenizer");
    }
}
