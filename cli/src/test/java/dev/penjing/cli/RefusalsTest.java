package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.fails;
import static dev.penjing.cli.CommandLines.succeed;
import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.model.files.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a command refuses before it begins: numbers that cannot be, and targets that are its input.
class RefusalsTest {
    @TempDir Path folder = Path.of("");
    private String text = "";
    private String copy = "";

    @BeforeEach
    void prepare() throws IOException {
        text =
                Files.writeString(folder.resolve("text.txt"), "a few words\n".repeat(200))
                        .toString();
        Path model = Files.createDirectories(folder.resolve("copy"));
        try (Stream<Path> files = Files.list(Path.of(TEACHER))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        copy = model.toString();
    }

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void countsThatCannotBe() {
        for (String samples : List.of("0", "-3")) {
            fails(
                    2,
                    "--samples must be at least 1",
                    "score",
                    TEACHER,
                    "--data",
                    text,
                    "--to",
                    at("i"),
                    "--samples",
                    samples);
            fails(
                    2,
                    "--samples must be at least 1",
                    "compress",
                    TEACHER,
                    "--intermediate-size",
                    "64",
                    "--data",
                    text,
                    "--tokens",
                    "1000",
                    "--to",
                    at("run"),
                    "--samples",
                    samples);
        }
        for (String length : List.of("1", "0", "-5")) {
            String what = "--sequence-length must be at least 2";
            fails(2, what, "perplexity", TEACHER, "--data", text, "--sequence-length", length);
            fails(
                    2,
                    what,
                    "perplexity",
                    TEACHER,
                    "--data",
                    text,
                    "--engine",
                    "--sequence-length",
                    length);
            fails(
                    2,
                    what,
                    "score",
                    TEACHER,
                    "--data",
                    text,
                    "--to",
                    at("i"),
                    "--sequence-length",
                    length);
        }
        assertThat(folder.resolve("i")).doesNotExist();
    }

    @Test
    void anEmptyPathIsNotTheCurrentFolder() {
        fails(2, "a path of --data is empty", "perplexity", TEACHER, "--data", "");
    }

    @Test
    void typesThatNoWeightsAreWrittenIn() {
        String file = at("model.gguf");
        succeed("quantize", TEACHER, "--type", "q8_0", "--to", file);
        fails(
                2,
                "--dtype must be one of [f32, f16, bf16], not i8",
                "import",
                file,
                "--to",
                at("model"),
                "--dtype",
                "i8");
        String other = at("other.gguf");
        fails(2, "type must be one of f32,", "quantize", TEACHER, "--type", "q3", "--to", other);
        fails(
                2,
                "--seed says which part of --calibration",
                "quantize",
                TEACHER,
                "--seed",
                "2",
                "--to",
                other);
        fails(
                2,
                "--calibration changes nothing in a file of type q8_0",
                "quantize",
                TEACHER,
                "--type",
                "q8_0",
                "--calibration",
                TEACHER + "/config.json",
                "--to",
                other);
        fails(2, "--to is", "quantize", file, "--to", file);
        fails(2, "--to is", "import", file, "--to", file);
    }

    @Test
    void inputsAreNotOverwritten() {
        String before = ModelFiles.sha256OfModel(Path.of(copy));
        // under another name too
        for (String to : List.of(copy, copy + "/../copy")) {
            fails(
                    2,
                    "which would be overwritten",
                    "prune",
                    copy,
                    "--random",
                    "1",
                    "--intermediate-size",
                    "64",
                    "--to",
                    to);
            fails(
                    2,
                    "which would be overwritten",
                    "distill",
                    "--teacher",
                    TEACHER,
                    "--student",
                    copy,
                    "--data",
                    text,
                    "--tokens",
                    "1000",
                    "--to",
                    to);
            fails(
                    2,
                    "which would be overwritten",
                    "compress",
                    copy,
                    "--intermediate-size",
                    "64",
                    "--data",
                    text,
                    "--tokens",
                    "1000",
                    "--to",
                    to);
        }
        assertThat(ModelFiles.sha256OfModel(Path.of(copy))).isEqualTo(before);
    }
}
