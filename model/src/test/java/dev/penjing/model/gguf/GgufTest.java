package dev.penjing.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufTest {
    @TempDir Path folder;

    private final ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

    private GgufTest text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.putLong(bytes.length).put(bytes);
        return this;
    }

    private GgufTest header(long tensors, long values) {
        out.put("GGUF".getBytes(StandardCharsets.UTF_8)).putInt(3).putLong(tensors).putLong(values);
        return this;
    }

    private Path file() throws IOException {
        Path file = folder.resolve("x.gguf");
        Files.write(file, Arrays.copyOf(out.array(), out.position()));
        return file;
    }

    private Path small() throws IOException {
        header(1, 2).text("general.architecture");
        out.putInt(8);
        text("gpt2").text("n");
        out.putInt(4).putInt(7);
        text("w");
        out.putInt(2).putLong(32).putLong(2).putInt(8).putLong(0);
        out.position((out.position() + 31) / 32 * 32);
        out.put(new byte[68]);
        return file();
    }

    @Test
    void reads() throws IOException {
        try (GgufFile file = GgufFile.open(small())) {
            assertThat(file.number("n")).contains(7L);
            assertThat(file.tensor("w").shape()).containsExactly(2, 32);
            assertThat(file.tensor("w").toFloats()).hasSize(64).containsOnly(0f);
        }
    }

    @Test
    void cutAnywhereItIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(small());
        for (int length = 0; length < whole.length; length++) {
            Path cut = folder.resolve("cut.gguf");
            Files.write(cut, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> GgufFile.open(cut)).isInstanceOf(PenjingException.class);
        }
    }

    @Test
    void hostileCountsAreRefusedAtOnce() throws IOException {
        header(Long.MAX_VALUE, 0);
        assertThatThrownBy(() -> GgufFile.open(file())).hasMessageContaining("tensors");
        out.clear();
        header(0, 1).text("a");
        out.putInt(9).putInt(8).putLong(1L << 40);
        assertThatThrownBy(() -> GgufFile.open(file())).hasMessageContaining("array elements");
        out.clear();
        header(0, 1);
        out.putLong(Long.MAX_VALUE).putLong(0);
        assertThatThrownBy(() -> GgufFile.open(file())).hasMessageContaining("ends too early");
        out.clear();
        header(1, 0).text("w");
        out.putInt(2).putLong(1L << 40).putLong(1L << 40).putInt(0).putLong(0);
        assertThatThrownBy(() -> GgufFile.open(file())).hasMessageContaining("impossible shape");
    }

    @Test
    void anotherArchitectureIsNamed() throws IOException {
        Path file = small();
        Path to = folder.resolve("to");
        assertThatThrownBy(() -> GgufImport.run(file, to, DType.F32, Progress.NONE))
                .hasMessageContaining("'gpt2'");
        assertThat(to).doesNotExist();
    }

    /// Two heads of four rows: even rows to the first half, odd rows to the second.
    @Test
    void rowsOfQueriesAreParted() {
        assertThat(IntStream.range(0, 8).map(row -> HeadRows.inGguf(row, 4)))
                .containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
        assertThat(
                        IntStream.range(0, 96)
                                .map(r -> HeadRows.inHuggingFace(HeadRows.inGguf(r, 24), 24)))
                .containsExactly(IntStream.range(0, 96).boxed().toArray(Integer[]::new));
    }
}
