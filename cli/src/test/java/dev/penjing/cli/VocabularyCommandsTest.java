package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.fails;
import static dev.penjing.cli.CommandLines.succeed;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Commands that cut a vocabulary.
@Timeout(600)
class VocabularyCommandsTest {
    @TempDir static Path folder;

    @BeforeAll
    static void writeText() throws IOException {
        Files.writeString(folder.resolve("text.txt"), "One day Ada went to work. ".repeat(60));
        Files.writeString(folder.resolve("empty.txt"), "");
    }

    private static String at(String name) {
        return folder.resolve(name).toString();
    }

    private static JsonNode read(String file) throws IOException {
        return JsonMapper.shared().readTree(Files.readString(folder.resolve(file)));
    }

    private static JsonNode measure(String model) {
        return succeed(
                        "perplexity",
                        model,
                        "--data",
                        at("text.txt"),
                        "--dtype",
                        "float32",
                        "--threads",
                        "1",
                        "--json")
                .json();
    }

    /// The text has as many tokens as before, each a little likelier: what went is no rival.
    @Test
    void aVocabularyAloneIsCutWithoutScores() throws IOException {
        succeed("prune", TEACHER, "--vocab-data", at("text.txt"), "--to", at("student"));
        JsonNode vocabulary = read("student/run.json").path("vocabulary");
        int before = vocabulary.path("teacher_tokens").asInt();
        int tokens = vocabulary.path("tokens").asInt();
        assertThat(tokens).isLessThan(before).isGreaterThan(256);
        assertThat(tokens % 64).isZero();
        long parameters =
                succeed("inspect", at("student"), "--json").json().path("parameters").asLong();
        assertThat(parameters)
                .isEqualTo(3_344_640 - vocabulary.path("parameters_saved").asLong())
                .isEqualTo(3_344_640 - 256L * (before - tokens));
        JsonNode teacher = measure(TEACHER);
        JsonNode student = measure(at("student"));
        assertThat(student.path("tokens").asLong()).isEqualTo(teacher.path("tokens").asLong());
        assertThat(student.path("bits_per_byte").asDouble())
                .isPositive()
                .isLessThan(teacher.path("bits_per_byte").asDouble());
    }

    /// Score, cut neurons and tokens, repair, train, measure: all in the student's own tokens. The
    /// world needs every token of its teacher, who reads it no better in fewer: the text teaches.
    @Test
    void compressesInFewerTokens() throws IOException {
        succeed("world", "--to", at("world"), "--megabytes", "1", "--seed", "5");
        JsonNode result =
                succeed(
                                "compress",
                                TEACHER,
                                "--intermediate-size",
                                "512",
                                "--vocab-size",
                                "1024",
                                "--data",
                                at("world/train.jsonl"),
                                "--tokens",
                                "4096",
                                "--objective",
                                "ce",
                                "--samples",
                                "8",
                                "--sequence-length",
                                "128",
                                "--global-batch-size",
                                "8",
                                "--warmup-steps",
                                "1",
                                "--dtype",
                                "float32",
                                "--threads",
                                "1",
                                "--to",
                                at("run"),
                                "--json")
                        .json();
        assertThat(read("run/distilled/config.json").path("vocab_size").asInt()).isEqualTo(1024);
        double pruned = result.at("/pruned/bits_per_byte").asDouble();
        assertThat(result.at("/distilled/bits_per_byte").asDouble()).isLessThan(pruned);
    }

    @Test
    void whatCannotBeIsSaidInOneLine() {
        String to = at("to");
        String text = at("text.txt");
        fails(2, "give --vocab-data", "prune", TEACHER, "--vocab-size", "512", "--to", to);
        fails(
                2,
                "is too large",
                "prune",
                TEACHER,
                "--vocab-size",
                "99999",
                "--vocab-data",
                text,
                "--to",
                to);
        fails(
                2,
                "is too small",
                "prune",
                TEACHER,
                "--vocab-size",
                "100",
                "--vocab-data",
                text,
                "--to",
                to);
        fails(2, "has none", "prune", TEACHER, "--vocab-data", at("empty.txt"), "--to", to);
    }
}
