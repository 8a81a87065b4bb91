package dev.penjing.model.inspection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
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
}
