package dev.penjing.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    /// The file is whole; it is not what this reads.
    @Test
    void whatIsNoSingleFileOfThisMachineIsNamed() throws IOException {
        assertThatThrownBy(() -> GgufFile.open(folder))
                .hasMessageContaining("is a folder: give a .gguf file");
        Path missing = folder.resolve("missing.gguf");
        assertThatThrownBy(() -> GgufFile.open(missing)).hasMessage("there is no file " + missing);
        out.clear();
        header(0, 1).text("split.count");
        out.putInt(2).putShort((short) 3);
        assertThatThrownBy(() -> GgufFile.open(file()))
                .hasMessageContaining("is one of 3 pieces of a file: join them first");
        out.clear();
        header(0, 0);
        out.putInt(4, Integer.reverseBytes(3));
        assertThatThrownBy(() -> GgufFile.open(file()))
                .hasMessageContaining("is written for big-endian machines");
    }

    @Test
    void anotherArchitectureIsNamed() throws IOException {
        Path file = small();
        Path to = folder.resolve("to");
        assertThatThrownBy(() -> GgufImport.run(file, to, DType.F32, Progress.NONE))
                .hasMessageContaining("'gpt2'");
        assertThat(to).doesNotExist();
    }

    /// A matrix in one of the short types, and a vector in float32.
    private GgufFile matrixAndVector(int type, float inVector) throws IOException {
        out.clear();
        header(2, 0).text("w");
        out.putInt(2).putLong(32).putLong(1).putInt(type).putLong(0);
        text("v");
        out.putInt(1).putLong(1).putInt(0).putLong(64);
        out.position((out.position() + 31) / 32 * 32);
        out.put(new byte[64]).putFloat(inVector);
        return GgufFile.open(file());
    }

    @ParameterizedTest
    @CsvSource({
        "30, 1.5, BF16",
        "30, 1e30, F32", // too many digits for eight
        "30, 1.00390625, F32", // 1 + 2^-8
        "1, 1.00390625, F16",
        "1, 1e30, F32", // too large for F16
        "8, 1.5, F32" // quantised
    })
    void theExactTypeKeepsEveryWeight(int type, float inVector, DType expected) throws IOException {
        try (GgufFile gguf = matrixAndVector(type, inVector)) {
            assertThat(ExactType.of(gguf)).isEqualTo(expected);
        }
    }

    /// 2^31 weights in a file that takes no room on the disk.
    @Test
    void aTensorTooLargeForAnArrayIsSaid() throws IOException {
        header(1, 0).text("w");
        out.putInt(2).putLong(1 << 16).putLong(1 << 15).putInt(2).putLong(0);
        out.position((out.position() + 31) / 32 * 32);
        Path path = file();
        try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
            sparse.setLength(out.position() + (1L << 31) / 32 * 18);
        }
        try (GgufFile gguf = GgufFile.open(path)) {
            GgufFile.Tensor tensor = gguf.tensor("w");
            assertThatThrownBy(tensor::toFloats)
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("w holds 2147483648 weights");
            assertThat(tensor.floats(18L * 7, 36)).hasSize(64);
        }
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
