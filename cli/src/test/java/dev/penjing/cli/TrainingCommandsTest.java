package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.succeed;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Commands that make a model, each in small: what comes out is what the command says it is.
@Timeout(600)
class TrainingCommandsTest {
    @TempDir static Path folder;

    @BeforeAll
    static void writeText() {
        succeed("world", "--to", at("world"), "--megabytes", "1", "--seed", "5");
    }

    private static String at(String name) {
        return folder.resolve(name).toString();
    }

    private static JsonNode read(String file) throws IOException {
        return JsonMapper.shared().readTree(Files.readString(folder.resolve(file)));
    }

    private static double perplexity(String model) {
        return succeed(
                        "perplexity",
                        model,
                        "--data",
                        at("measured.jsonl"),
                        "--dtype",
                        "float32",
                        "--threads",
                        "1",
                        "--json")
                .json()
                .path("perplexity")
                .asDouble();
    }

    private static void writeMeasured() throws IOException {
        List<String> lines = Files.readAllLines(folder.resolve("world/heldout.jsonl"));
        Files.write(folder.resolve("measured.jsonl"), lines.subList(0, 10));
    }

    /// Score, prune by the scores, heal: the student is smaller, worse, and then better again.
    @Test
    void scoresPrunesAndDistills() throws IOException {
        writeMeasured();
        succeed(
                "score",
                TEACHER,
                "--data",
                at("world/train.jsonl"),
                "--samples",
                "8",
                "--sequence-length",
                "128",
                "--threads",
                "1",
                "--to",
                at("importance.safetensors"));
        succeed(
                "prune",
                TEACHER,
                "--importance",
                at("importance.safetensors"),
                "--intermediate-size",
                "352",
                "--to",
                at("pruned"));
        succeed(
                "prune",
                TEACHER,
                "--random",
                "3",
                "--intermediate-size",
                "352",
                "--to",
                at("drawn"));
        JsonNode shape = succeed("inspect", at("pruned"), "--json").json();
        // three matrices of 256 channels lose 352 neurons in each of four layers
        assertThat(shape.path("parameters").asLong()).isEqualTo(3_344_640 - 4L * 3 * 256 * 352);
        double teacher = perplexity(TEACHER);
        double pruned = perplexity(at("pruned"));
        assertThat(pruned).isGreaterThan(teacher * 1.05).isLessThan(perplexity(at("drawn")));

        succeed(
                "distill",
                "--teacher",
                TEACHER,
                "--student",
                at("pruned"),
                "--data",
                at("world/train.jsonl"),
                "--held-out",
                at("measured.jsonl"),
                "--tokens",
                "16384",
                "--learning-rate",
                "1e-3",
                "--warmup-steps",
                "2",
                "--global-batch-size",
                "16",
                "--sequence-length",
                "128",
                "--dtype",
                "float32",
                "--threads",
                "1",
                "--to",
                at("healed"));
        assertThat(perplexity(at("healed"))).isLessThan(pruned).isGreaterThan(teacher);
        JsonNode record = read("healed/run.json");
        assertThat(record.at("/training/steps").asInt()).isEqualTo(8);
        assertThat(record.path("teacher_sha256").asString()).hasSize(64);
    }

    /// From random weights: the model is what the configuration says, and has learned something.
    @Test
    void pretrains() throws IOException {
        writeMeasured();
        Files.writeString(
                folder.resolve("small.json"),
                """
                {"model_type": "llama", "vocab_size": 1536, "hidden_size": 64,
                 "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2,
                 "num_key_value_heads": 1, "head_dim": 32, "max_position_embeddings": 128,
                 "rms_norm_eps": 1e-5, "tie_word_embeddings": true,
                 "bos_token_id": 0, "eos_token_id": 2}
                """);
        succeed(
                "pretrain",
                "--config",
                at("small.json"),
                "--tokenizer",
                TEACHER,
                "--data",
                at("world/train.jsonl"),
                "--tokens",
                "65536",
                "--learning-rate",
                "1e-2",
                "--warmup-steps",
                "2",
                "--global-batch-size",
                "16",
                "--sequence-length",
                "128",
                "--dtype",
                "float32",
                "--threads",
                "1",
                "--to",
                at("trained"));
        JsonNode shape = succeed("inspect", at("trained"), "--json").json();
        long attention = 64 * 64 + 2 * 64 * 32 + 64 * 64;
        assertThat(shape.path("parameters").asLong())
                .isEqualTo(1536 * 64 + attention + 3 * 64 * 128 + 3 * 64);
        // one that knows nothing has 1,536
        assertThat(perplexity(at("trained"))).isLessThan(150);
        assertThat(read("trained/run.json").at("/training/tokens").asLong()).isEqualTo(65_536);
    }

    /// The whole chain on the teacher, with little text and few steps.
    @Test
    void demonstrates() throws IOException {
        String home = System.getProperty("penjing.home", "");
        System.setProperty("penjing.home", "..");
        JsonNode result;
        try {
            result =
                    succeed(
                                    "demo",
                                    "--dir",
                                    at("demo"),
                                    "--tokens",
                                    "4096",
                                    "--megabytes",
                                    "1",
                                    "--samples",
                                    "16",
                                    "--dtype",
                                    "float32",
                                    "--threads",
                                    "1",
                                    "--no-serve",
                                    "--json")
                            .json();
        } finally {
            if (home.isEmpty()) {
                System.clearProperty("penjing.home");
            } else {
                System.setProperty("penjing.home", home);
            }
        }
        assertThat(result.path("tokens").asLong()).isEqualTo(4096);
        assertThat(result.at("/teacher/parameters").asLong()).isEqualTo(3_344_640);
        assertThat(result.at("/distilled/parameters").asLong())
                .isEqualTo(result.at("/pruned/parameters").asLong())
                .isLessThan(2_400_000);
        assertThat(result.at("/teacher/perplexity").asDouble()).isBetween(1.4, 1.8);
        assertThat(result.at("/distilled/perplexity").asDouble())
                .isLessThan(result.at("/pruned/perplexity").asDouble());
        assertThat(result.at("/teacher/tasks").size()).isEqualTo(9);
        assertThat(result.at("/arithmetic/engine").asString()).isEqualTo("libtorch");
        assertThat(result.at("/arithmetic/type").asString()).isEqualTo("float32");
        assertThat(folder.resolve("demo/report.html")).isNotEmptyFile();
    }
}
