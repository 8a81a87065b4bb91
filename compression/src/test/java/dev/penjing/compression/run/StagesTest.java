package dev.penjing.compression.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.identity.Arithmetic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class StagesTest {
    private static final Arithmetic ARITHMETIC =
            new Arithmetic("1.0", "abc", "libtorch", "2.10.0 AVX2", "float32", "cpu");

    @TempDir Path folder;

    private final List<String> said = new ArrayList<>();
    private Path result = Path.of("");
    private int runs;

    @BeforeEach
    void place() {
        result = folder.resolve("result");
    }

    private ObjectNode run(String key) {
        return new Stages(folder, ARITHMETIC, said::add)
                .run(
                        "score",
                        key,
                        result,
                        record -> {
                            record.put("run", ++runs);
                            write("result of " + key);
                        });
    }

    private void write(String text) {
        try {
            Files.writeString(result, text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsDoneIsNotDoneAgainUntilItsKeyChanges() throws IOException {
        assertThat(run("one").path("run").asInt()).isEqualTo(1);
        assertThat(run("one").path("run").asInt()).isEqualTo(1);
        assertThat(said).containsExactly("score: done before, nothing has changed");
        assertThat(run("two").path("run").asInt()).isEqualTo(2);
        assertThat(result).hasContent("result of two");
        JsonNode record =
                JsonMapper.shared().readTree(Files.readString(folder.resolve("stages/score.json")));
        assertThat(record.at("/arithmetic/kernels").asString()).isEqualTo("2.10.0 AVX2");
    }

    /// The result is in place, and the power goes before the record is.
    @Test
    void aResultWithoutARecordIsMadeAgain() throws IOException {
        write("half of a result");
        assertThat(run("one").path("run").asInt()).isEqualTo(1);
        assertThat(result).hasContent("result of one");
        Files.delete(result);
        assertThat(run("one").path("run").asInt()).isEqualTo(2);
        Files.writeString(folder.resolve("stages/score.json"), "{\"key\": \"on");
        assertThat(run("one").path("run").asInt()).isEqualTo(3);
        assertThat(said).last().asString().contains("doing it again");
    }

    @Test
    void aStageThatFailsIsNotDone() {
        Stages stages = new Stages(folder, ARITHMETIC, said::add);
        assertThatThrownBy(() -> stages.run("score", "one", result, record -> {}))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("left no");
        assertThat(folder.resolve("stages/score.json")).doesNotExist();
    }
}
