package dev.penjing.compression.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whatever a file of texts is called and looks like, the same documents come out, or it is
/// refused.
class CorpusFormatsTest {
    private static final List<String> TEXTS = List.of("one", "two\nlines", "über");
    private static final List<String> OBJECTS =
            List.of("{\"text\": \"one\"}", "{\"text\": \"two\\nlines\"}", "{\"text\": \"über\"}");
    private static final String LINES = String.join("\r\n\n", OBJECTS);
    private static final String MARK = "\uFEFF";

    @TempDir Path folder = Path.of("");

    private Path file(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        String small = name.toLowerCase(Locale.ROOT);
        if (small.endsWith(".zst")) {
            return Files.write(file, Zstd.compress(bytes));
        }
        if (!small.endsWith(".gz")) {
            return Files.write(file, bytes);
        }
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(bytes);
        }
        return file;
    }

    private static List<String> read(Path... paths) {
        List<String> documents = new ArrayList<>();
        Corpus.of(List.of(paths)).forEach(documents::add);
        return documents;
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.JSONL", "a.ndjson", "a.jsonl.gz", "A.NDJSON.GZ"})
    void aLineIsADocument(String name) throws IOException {
        assertThat(read(file(name, LINES))).isEqualTo(TEXTS);
        assertThat(read(file(name, LINES + "\n"))).isEqualTo(TEXTS);
        assertThat(read(file(name, MARK + LINES))).isEqualTo(TEXTS);
        assertThatThrownBy(() -> read(file(name, LINES + "\n{\"body\": 1}")))
                .hasMessageContaining("line 6 has no \"text\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.json", "a.Json", "a.json.gz"})
    void anObjectIsADocument(String name) throws IOException {
        assertThat(read(file(name, LINES))).isEqualTo(TEXTS);
        assertThat(read(file(name, "[" + String.join(",\n", OBJECTS) + "]"))).isEqualTo(TEXTS);
        assertThat(read(file(name, MARK + "[\"one\", \"two\\nlines\", \"über\"]")))
                .isEqualTo(TEXTS);
        assertThatThrownBy(() -> read(file(name, "[{\"text\": \"a\"}, {\"body\": 1}]")))
                .hasMessageContaining("value 2 has no \"text\"");
        assertThatThrownBy(() -> read(file(name, "[{\"text\": \"a\"}, {")))
                .hasMessageContaining("value 2 is not JSON");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.txt", "a.TXT.gz", "a", "a.md"})
    void otherFilesAreOneText(String name) throws IOException {
        assertThat(read(file(name, "all\nof it"))).containsExactly("all\nof it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.tsv", "a.ARROW", "a.tar.zst", "a.zip", "a.gguf"})
    void whatIsNoTextIsRefused(String name) throws IOException {
        Path file = file(name, "a,b");
        assertThatThrownBy(() -> Corpus.of(List.of(file)))
                .hasMessageContaining(name + " is no text that can be learned");
    }

    @Test
    void aFolderStandsForItsTexts() throws IOException {
        file("b.JSONL", "{\"text\": \"b\"}");
        file("a.txt.gz", "a");
        file("config.json", "{\"hidden_size\": 4}");
        file("c.csv", "1,2");
        assertThat(read(folder)).containsExactly("a", "b");
        assertThat(Corpus.of(List.of(folder)).notes())
                .containsExactly(folder + ": read a.txt.gz, b.JSONL; left out c.csv, config.json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.csv", "A.CSV.GZ", "a.csv.zst"})
    void aRowIsADocument(String name) throws IOException {
        assertThat(read(file(name, "id,text\n1,one\n2,\"two\nlines\"\n3,über\n"))).isEqualTo(TEXTS);
        assertThatThrownBy(() -> read(file(name, "id,body\n1,one\n")))
                .hasMessageContaining("its columns are id, body");
    }

    /// The file was written by pyarrow 26.
    @Test
    void aRowOfParquetIsADocument() throws IOException {
        try (InputStream in = CorpusFormatsTest.class.getResourceAsStream("texts.parquet")) {
            Path file = folder.resolve("A.Parquet");
            Files.write(file, Objects.requireNonNull(in).readAllBytes());
            assertThat(read(file)).isEqualTo(TEXTS);
            assertThat(read(folder)).isEqualTo(TEXTS);
        }
    }

    @Test
    void whatIsCompressedIsKnownByItsBeginningToo() throws IOException {
        Path named = file("a.jsonl.zst", LINES);
        assertThat(read(named)).isEqualTo(TEXTS);
        assertThat(read(Files.move(named, folder.resolve("b.jsonl")))).isEqualTo(TEXTS);
    }

    /// In bounded memory: the file has 40 MB, the line is given up at 32.
    @Test
    void aLineWithoutEndIsRefused() throws IOException {
        Path file = folder.resolve("long.jsonl");
        byte[] piece = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write("{\"text\": \"ok\"}\n{\"text\": \"".getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < 40; i++) {
                out.write(piece);
            }
        }
        assertThatThrownBy(() -> read(file))
                .hasMessageContaining("line 2 has more than 32,000,000 characters");
    }
}
