package dev.penjing.model.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every form that rows come in, and what can be wrong with it. The Parquet files were written by
/// pyarrow 26.
@Timeout(60)
class RowsTest {
    @TempDir Path folder;

    static byte[] resource(String name) throws IOException {
        try (InputStream in = RowsTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    private Path file(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static List<String> rows(Path file) {
        return rows(file, TextInput.Limits.usual());
    }

    private static List<String> rows(Path file, TextInput.Limits limits) {
        List<String> rows = new ArrayList<>();
        Rows.read(file, Optional.empty(), row -> rows.add(row.toString()), limits);
        return rows;
    }

    private static void fails(Path file, String... parts) {
        assertThatThrownBy(() -> rows(file))
                .isInstanceOf(PenjingException.class)
                .hasMessageNotContaining("\n")
                .hasMessageContaining(file.toString())
                .hasMessageContainingAll(parts);
    }

    @Test
    void jsonLines() throws IOException {
        String two = "\uFEFF{\"a\": \"ä\\n\u2028b\"}\r\n\n{\"a\": [1, {\"b\": null}]}";
        String[] rows = {"{\"a\":\"ä\\n\u2028b\"}", "{\"a\":[1,{\"b\":null}]}"};
        assertThat(rows(file("x.jsonl", two))).containsExactly(rows);
        assertThat(rows(file("x.json", two))).containsExactly(rows);
        byte[] compressed = gzip(two.getBytes(StandardCharsets.UTF_8));
        assertThat(rows(Files.write(folder.resolve("x.jsonl.gz"), compressed)))
                .containsExactly(rows);
        // gzip files may be written one behind the other
        byte[] twice = Arrays.copyOf(compressed, 2 * compressed.length);
        System.arraycopy(compressed, 0, twice, compressed.length, compressed.length);
        assertThatThrownBy(() -> rows(Files.write(folder.resolve("y.jsonl.gz"), twice)))
                .hasMessageContaining("line 3"); // the first has no line end, the second a mark
    }

    @Test
    void aJsonArray() throws IOException {
        String array = " [\n {\"a\": {\"yes\": 1, \"no\": 0}},\n{\"a\": 2}\n]\n";
        assertThat(rows(file("x.json", array)))
                .containsExactly("{\"a\":{\"yes\":1,\"no\":0}}", "{\"a\":2}");
        assertThat(rows(file("y.json", "[]"))).isEmpty();
        assertThat(rows(file("z.json", ""))).isEmpty();
    }

    @Test
    void csv() throws IOException {
        String table = "q,c\r\n\"a, \"\"b\"\"\nc\",\r\n x y ,\"\"\r\n\r\nit's 5\" long,ü";
        assertThat(rows(file("x.csv", table)))
                .containsExactly(
                        "{\"q\":\"a, \\\"b\\\"\\nc\",\"c\":\"\"}",
                        "{\"q\":\" x y \",\"c\":\"\"}",
                        "{\"q\":\"it's 5\\\" long\",\"c\":\"ü\"}");
    }

    @Test
    void csvWithoutAHeader() throws IOException {
        List<String> rows = new ArrayList<>();
        Optional<List<String>> columns = Optional.of(List.of("question", "A"));
        Rows.read(file("x.csv", "w,1\nv,2"), columns, row -> rows.add(row.toString()));
        Rows.read(file("y.csv", "A,question\n3,u"), columns, row -> rows.add(row.toString()));
        assertThat(rows)
                .containsExactly(
                        "{\"question\":\"w\",\"A\":\"1\"}",
                        "{\"question\":\"v\",\"A\":\"2\"}",
                        "{\"A\":\"3\",\"question\":\"u\"}");
    }

    @Test
    void parquetHasTheFormOfJson() throws IOException {
        Path arc = Files.write(folder.resolve("arc.parquet"), resource("arc.parquet"));
        assertThat(rows(arc))
                .containsExactly(
                        "{\"id\":\"a\",\"question\":\"Which is wet?\",\"choices\":{\"text\":[\"stone\",\"water\"],\"label\":[\"A\",\"B\"]},\"answerKey\":\"B\"}",
                        "{\"id\":\"b\",\"question\":\"Größe?\",\"choices\":{\"text\":[\"x\",\"\",\"z\"],\"label\":[\"1\",\"2\",\"3\"]},\"answerKey\":\"3\"}");
        Path kinds = Files.write(folder.resolve("kinds.parquet"), resource("kinds.parquet"));
        assertThat(rows(kinds))
                .containsExactly(
                        "{\"int\":1,\"byte\":7,\"long\":1099511627776,\"double\":0.5,\"flag\":true,\"targets\":[{\"choice\":\"a\",\"label\":1}],\"nested\":[[\"a\"],[]],\"map\":{\"k\":1}}",
                        "{\"int\":null,\"byte\":-7,\"long\":-1,\"double\":2.0,\"flag\":null,\"targets\":[],\"nested\":null,\"map\":{}}");
    }

    @Test
    void aSinkThatHasEnoughEndsTheReading() throws IOException {
        for (String name : List.of("x.jsonl", "x.json", "x.csv")) {
            String broken =
                    switch (name) {
                        case "x.csv" -> "a\n1\n2,3";
                        case "x.json" -> "[{\"a\": \"1\"}, broken";
                        default -> "{\"a\": \"1\"}\nbroken";
                    };
            Path file = file(name, broken);
            List<String> rows = new ArrayList<>();
            assertThat(Rows.read(file, Optional.empty(), row -> !rows.add(row.toString())))
                    .isTrue();
            assertThat(rows).containsExactly("{\"a\":\"1\"}");
            fails(file, "is damaged");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "x.jsonl | {\"a\": 1}~{\"a\": | line 2: ",
                "x.jsonl | {\"a\": 1} {} | line 1: ",
                "x.jsonl | ~[1] | line 2 is no object",
                "x.json | {\"a\": 1}~nope | line 2: ",
                "x.json | [{\"a\": 1},~{\"a\" 2}] | line 2: ",
                "x.json | [{\"a\": 1}, 2] | item 2 is no object",
                "x.json | [{\"a\": 1}] 7 | more behind the array",
                "x.json | [{\"a\": 1} | line 1: ",
                "x.json | 7 | no array of objects",
                "x.csv | a,b~1 | row 2 has 1 values for 2 columns",
                "x.csv | a,b~1,2,3 | row 2 has 3 values for 2 columns",
                "x.csv | a,b~1,\"2 | line ",
            })
    void whatIsBrokenIsNamed(String name, String content, String what) throws IOException {
        fails(file(name, content.replace('~', '\n')), "is damaged", what, "get it again");
    }

    @ParameterizedTest
    @CsvSource({"x.jsonl, line 2 is not in UTF-8", "x.json, not in UTF-8", "x.csv, not in UTF-8"})
    void anotherEncodingIsSaid(String name, String what) throws IOException {
        String text =
                switch (name) {
                    case "x.csv" -> "a\nä";
                    case "x.json" -> "[{\"a\":\n\"ä\"}]";
                    default -> "{\"a\": 1}\n{\"a\": \"ä\"}";
                };
        fails(Files.write(folder.resolve(name), text.getBytes(StandardCharsets.ISO_8859_1)), what);
    }

    @Test
    void gzipThatIsNotWholeIsSaid() throws IOException {
        byte[] random = new byte[50_000];
        new Random(1).nextBytes(random);
        String line = "{\"a\": \"" + Arrays.toString(random) + "\"}\n";
        byte[] whole = gzip(line.repeat(3).getBytes(StandardCharsets.UTF_8));
        Path file = folder.resolve("x.jsonl.gz");
        fails(Files.write(file, Arrays.copyOf(whole, whole.length / 2)), "it ends too early");
        fails(Files.write(file, Arrays.copyOf(whole, whole.length - 5)), "it ends too early");
        fails(Files.write(file, new byte[0]), "it ends too early");
        fails(Files.write(file, line.getBytes(StandardCharsets.UTF_8)), "not whole gzip");
        whole[whole.length - 6] ^= 1;
        fails(Files.write(file, whole), "not whole gzip");
    }

    @Test
    void whatIsTooLargeIsGivenUpInTime() throws IOException {
        byte[] spaces = new byte[30_000_000]; // a line that gzip makes a thousand times smaller
        Arrays.fill(spaces, (byte) ' ');
        Path bomb = Files.write(folder.resolve("x.jsonl.gz"), gzip(spaces));
        assertThat(Files.size(bomb)).isLessThan(60_000);
        fails(bomb, "a line of more than 16,777,216 bytes");
        String rows = "{\"a\": 1}\n".repeat(1_000);
        Path many =
                Files.write(
                        folder.resolve("y.jsonl.gz"), gzip(rows.getBytes(StandardCharsets.UTF_8)));
        assertThatThrownBy(() -> rows(many, new TextInput.Limits(8_999, 100)))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("more than 8,999 bytes");
        assertThat(rows(many, new TextInput.Limits(9_000, 8))).hasSize(1_000);
        Path array = file("z.json", "[" + "{\"a\": 1},".repeat(1_000) + "{}]");
        assertThatThrownBy(() -> rows(array, new TextInput.Limits(8_999, 100)))
                .hasMessageContaining("more than 8,999 bytes");
        Path deep = file("deep.jsonl", "{\"a\":" + "[".repeat(100_000));
        fails(deep, "line 1: ");
    }

    @Test
    void damagedParquetEndsInAMessage() throws IOException {
        Path file = folder.resolve("x.parquet");
        byte[] whole = resource("kinds.parquet");
        fails(Files.write(file, new byte[0]), "is damaged");
        fails(Files.write(file, new byte[5_000]), "is damaged");
        fails(Files.write(file, Arrays.copyOf(whole, whole.length - 1)), "is damaged");
        fails(Files.write(file, Arrays.copyOfRange(whole, 40, whole.length)), "is damaged");
        fails(Files.write(file, resource("brotli.parquet")), "compressed by BROTLI", "zstd");
        Random random = new Random(7);
        int said = 0;
        for (int i = 0; i < 150; i++) {
            byte[] damaged = whole.clone();
            for (int j = 0; j < 3; j++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            Files.write(file, damaged);
            try {
                rows(file);
            } catch (PenjingException e) {
                assertThat(e).hasMessageContaining(file.toString()).hasMessageNotContaining("\n");
                said++;
            }
        }
        assertThat(said).isGreaterThan(50);
    }

    @ParameterizedTest
    @ValueSource(strings = {"x.jsonl", "x.json.gz", "x.csv", "x.parquet"})
    void aFolderIsNoFile(String name) throws IOException {
        fails(Files.createDirectory(folder.resolve(name)), "is no file");
        fails(folder.resolve("missing-" + name), "is no file");
    }
}
