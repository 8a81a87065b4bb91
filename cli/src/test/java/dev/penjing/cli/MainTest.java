package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.fails;
import static dev.penjing.cli.CommandLines.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.model.PenjingVersion;
import dev.penjing.model.files.FolderLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The command line as a user meets it, on the bundled teacher.
class MainTest {
    private static final String BENCHMARKS = "../evaluation/src/test/resources/benchmarks";

    @TempDir Path folder;

    private String write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, text);
        return file.toString();
    }

    @Test
    void saysWhichVersionAndCommitItIs() {
        assertThat(run("--version").out().lines())
                .containsExactly(
                        "penjing " + PenjingVersion.version(), "commit " + PenjingVersion.commit());
    }

    @Test
    void wrongInputIsOneLineThatSaysWhatToDo() throws IOException {
        String text = write("text.txt", "One day Ada went to work. ".repeat(200));
        String to = folder.resolve("to").toString();
        fails(2, "Unmatched argument", "inspect", TEACHER, "more");
        fails(2, "--sizes", "prune", TEACHER, "--sizes", "3", "--to", to);
        fails(1, "there is no model at nowhere", "inspect", "nowhere");
        fails(1, "there is no file", "inspect", "nowhere.gguf");
        fails(2, "names no model on a hub", "inspect", "hf:nonsense");
        fails(2, "--importance", "prune", TEACHER, "--to", to);
        fails(2, "say what to cut", "prune", TEACHER, "--random", "1", "--to", to);
        fails(
                2,
                "the nearest that can be is 8",
                "prune",
                TEACHER,
                "--random",
                "1",
                "--num-attention-heads",
                "7",
                "--to",
                to);
        fails(1, "cannot read", "perplexity", TEACHER, "--data", "/nowhere/x");
        fails(1, "comes to 0 tokens", "perplexity", TEACHER, "--data", write("empty.txt", ""));
        fails(1, "comes to 1 tokens", "perplexity", TEACHER, "--data", write("one.txt", " the"));
        fails(1, "no.json cannot be read", "chat", TEACHER, "--json-schema", to + "/no.json");
        String broken = write("broken.json", "{\"type\": ");
        fails(
                2,
                "broken.json: the JSON Schema is no JSON",
                "chat",
                TEACHER,
                "--json-schema",
                broken);
        String odd = write("odd.json", "{\"not\": {}}");
        fails(2, "odd.json: the JSON Schema at #", "chat", TEACHER, "--json-schema", odd);
        fails(2, "give one", "chat", TEACHER, "--json-object", "--json-schema", odd);
        fails(1, "line 1", "perplexity", TEACHER, "--data", write("bad.jsonl", "{\"x\": 1}\n"));
        fails(1, "outside the vocabulary", "logits", TEACHER, "--ids", "1,99999");
        fails(2, "--draft needs --data", "bench", TEACHER, "--draft", TEACHER);
        fails(2, "--draft-tokens needs --draft", "bench", TEACHER, "--draft-tokens", "2");
        fails(2, "between 1 and 8", "chat", TEACHER, "--draft", TEACHER, "--draft-tokens", "9");
        fails(1, "GGUF", "inspect", write("x.gguf", "no"));
        fails(
                2,
                "--min-learning-rate",
                "distill",
                "--teacher",
                TEACHER,
                "--student",
                TEACHER,
                "--data",
                text,
                "--tokens",
                "1000",
                "--learning-rate",
                "1e-9",
                "--to",
                to);
        fails(
                1,
                "give more --data or a shorter --sequence-length",
                "distill",
                "--teacher",
                TEACHER,
                "--student",
                TEACHER,
                "--data",
                write("short.txt", "Ada."),
                "--sequence-length",
                "256",
                "--tokens",
                "1000",
                "--to",
                to);
        assertThat(folder.resolve("to/config.json")).doesNotExist();
    }

    /// On libtorch and on the engine: the harness's form, nothing computed twice, prompts written.
    @Test
    void evaluates() throws IOException {
        for (String where : new String[] {"--dtype=float32", "--engine"}) {
            Path prompts = folder.resolve("prompts.jsonl");
            String[] command = {
                "evaluate",
                TEACHER,
                "--data-dir",
                BENCHMARKS,
                "--tasks",
                "winogrande,mmlu_miscellaneous,xlsum_en",
                "--limit",
                "4",
                where,
                "--cache-dir",
                folder.resolve("kept").toString(),
                "--samples-out",
                prompts.toString(),
                "--json"
            };
            JsonNode first = JsonMapper.shared().readTree(run(command).out());
            JsonNode again = JsonMapper.shared().readTree(run(command).out());
            assertThat(again.path("results")).isEqualTo(first.path("results"));
            double score = first.at("/results/winogrande/acc,none").asDouble(-1);
            assertThat(score * 4).isEqualTo(Math.rint(score * 4)).isBetween(0.0, 4.0);
            assertThat(score).isEqualTo(meanOf(prompts, "winogrande", "acc,none"));
            assertThat(first.at("/speed/winogrande/requests").asInt()).isEqualTo(8);
            assertThat(again.at("/speed/winogrande/requests").asInt()).isZero();
            assertThat(first.at("/config/arithmetic/engine").asString())
                    .isEqualTo(where.equals("--engine") ? "penjing" : "libtorch");
            assertThat(first.at("/config/model_sha256").asString()).hasSize(64);
            assertThat(first.at("/n-samples/winogrande/effective").asInt()).isEqualTo(4);
            assertThat(first.at("/n-shot/xlsum_en").asInt()).isEqualTo(3);
            assertThat(Files.readAllLines(prompts)).hasSize(4 + 4 + 3);
        }
        fails(2, "no task 'chess'", "evaluate", TEACHER, "--tasks", "chess");
        fails(2, "--limit", "evaluate", TEACHER, "--limit", "0");
        fails(2, "named twice", "evaluate", TEACHER, TEACHER);
        fails(2, "--engine has its own", "evaluate", TEACHER, "--engine", "--dtype", "float32");
        fails(2, "--bos", "evaluate", TEACHER, "--tasks", "gsm8k", "--bos", "perhaps");
        fails(2, "no folder", "evaluate", TEACHER, "--data-dir", "/nowhere");
        fails(
                1,
                "allenai/winogrande",
                "evaluate",
                TEACHER,
                "--tasks",
                "winogrande",
                "--data-dir",
                folder.toString());
        fails(
                1,
                "--num-fewshot",
                "evaluate",
                TEACHER,
                "--tasks",
                "winogrande",
                "--data-dir",
                BENCHMARKS,
                "--num-fewshot",
                "99");
    }

    /// The mean of what the file says of each item.
    private static double meanOf(Path samples, String task, String metric) throws IOException {
        return Files.readAllLines(samples).stream()
                .map(line -> JsonMapper.shared().readTree(line))
                .filter(json -> json.path("task").asString().equals(task))
                .mapToDouble(json -> json.path("scores").path(metric).asDouble(-1))
                .average()
                .orElse(-1);
    }

    @Test
    void aFullDiskIsSaidAndLeavesNothing() {
        Path full = Path.of("/dev/full");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(full));
        fails(1, "cannot", "world", "--to", full.toString());
    }

    @Test
    void inspectCounts() {
        CommandLines.Outcome outcome = run("inspect", TEACHER, "--json");
        assertThat(outcome.status()).isZero();
        assertThat(outcome.out())
                .contains("\"parameters\" : 3344640")
                .contains("\"non_embedding_parameters\" : 2951424")
                .contains("\"kv_bytes_per_token\" : 2048");
    }

    /// The file is read whole, as `perplexity` does: documents run into each other, without the
    /// tokens that close them in training, and so it is more than the report's 1.62.
    @Test
    void theBundledTeacherKnowsItsWorld() throws IOException {
        run(
                "world",
                "--to",
                folder.resolve("world").toString(),
                "--megabytes",
                "1",
                "--seed",
                "77");
        CommandLines.Outcome outcome =
                run(
                        "perplexity",
                        TEACHER,
                        "--data",
                        folder.resolve("world/train.jsonl").toString(),
                        "--json");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        JsonNode measured = outcome.json();
        assertThat(measured.path("perplexity").asDouble()).isCloseTo(2.566, within(0.01));
        assertThat(measured.path("bytes").asLong()).isGreaterThan(700_000);
    }

    @Test
    void benchSaysWhatADraftIsWorth() throws IOException {
        CommandLines.Outcome outcome =
                run(
                        "bench",
                        TEACHER,
                        "--draft",
                        TEACHER,
                        "--data",
                        write("text.txt", "One day Ada went to work. ".repeat(50)),
                        "--prompt-tokens",
                        "20",
                        "--new-tokens",
                        "20",
                        "--batch",
                        "1",
                        "--repeats",
                        "1",
                        "--json");
        JsonNode rows = outcome.json().path("rows");
        assertThat(rows.size()).isEqualTo(1);
        JsonNode row = rows.get(0);
        assertThat(row.path("batch").asInt()).isEqualTo(1);
        assertThat(row.path("prompt_tokens").asInt()).isEqualTo(20);
        assertThat(row.path("new_tokens").asInt()).isEqualTo(20);
        double alone = row.path("decode_tokens_per_s").asDouble();
        double drafted = row.path("draft_decode_tokens_per_s").asDouble();
        assertThat(alone).isPositive();
        assertThat(row.path("prefill_tokens_per_s").asDouble()).isPositive();
        assertThat(row.path("draft_ratio").asDouble()).isCloseTo(drafted / alone, within(0.01));
        // a model that drafts for itself is always right
        assertThat(row.path("draft_acceptance").asDouble()).isEqualTo(1);
    }

    /// The chain in small: it goes through, a second time nothing is done again, and the pieces are
    /// models that can be used.
    @Test
    void compressGoesThroughAndRemembers() throws IOException {
        String world = folder.resolve("world").toString();
        run("world", "--to", world, "--megabytes", "1");
        List<String> questions = Files.readAllLines(Path.of(world, "items.jsonl"));
        Path items = Files.write(folder.resolve("items.jsonl"), questions.subList(0, 12));
        String[] command = {
            "compress",
            TEACHER,
            "--hidden-size",
            "192",
            "--intermediate-size",
            "480",
            "--data",
            world + "/train.jsonl",
            "--held-out",
            world + "/heldout.jsonl",
            "--tokens",
            "16384",
            "--learning-rate",
            "1e-3",
            "--warmup-steps",
            "1",
            "--global-batch-size",
            "8",
            "--sequence-length",
            "128",
            "--samples",
            "32",
            "--to",
            folder.resolve("run").toString(),
            "--items",
            items.toString(),
            "--json"
        };
        CommandLines.Outcome first = run(command);
        JsonNode result = first.json();
        assertThat(result.path("tokens").asLong()).isEqualTo(16_384);
        double teacher = result.at("/teacher/bits_per_byte").asDouble();
        double pruned = result.at("/pruned/bits_per_byte").asDouble();
        double distilled = result.at("/distilled/bits_per_byte").asDouble();
        assertThat(teacher).isPositive().isLessThan(distilled);
        assertThat(distilled).isLessThan(pruned);
        assertThat(result.at("/teacher/parameters").asLong()).isEqualTo(3_344_640);
        assertThat(result.at("/distilled/parameters").asLong())
                .isEqualTo(result.at("/pruned/parameters").asLong())
                .isLessThan(2_400_000);
        assertThat(result.path("peak_rss_bytes").asLong()).isPositive();
        byte[] student = Files.readAllBytes(folder.resolve("run/distilled/model.safetensors"));
        CommandLines.Outcome second = run(command);
        assertThat(second.err()).contains("distill: done before").contains("score: done before");
        assertThat(folder.resolve("run/distilled/model.safetensors")).hasBinaryContent(student);
        assertThat(folder.resolve("run/report.html")).content().contains("<svg", "What was kept");
        assertThat(run("inspect", folder.resolve("run/distilled").toString(), "--json").out())
                .contains("\"head_dim\" : 32");
        // other questions in the same file: measured again, and nothing else
        Files.write(items, questions.subList(12, 24));
        CommandLines.Outcome third = run(command);
        assertThat(third.err())
                .contains("distill: done before", "score: done before")
                .doesNotContain("measure-teacher: done before");
        assertThat(second.err()).contains("measure-teacher: done before");
        try (Stream<Path> files = Files.walk(folder.resolve("run"))) {
            assertThat(files.filter(f -> f.toString().endsWith(".partial"))).isEmpty();
        }
        // what another run has in hand is left alone
        try (FolderLock other = FolderLock.of(folder.resolve("run"))) {
            CommandLines.Outcome fourth = run(command);
            assertThat(fourth.status()).isEqualTo(1);
            assertThat(fourth.failure()).contains("another run is at work in");
        }
    }

    /// Layers are an axis like the others.
    @Test
    void layersCanBeCut() {
        String to = folder.resolve("shallow").toString();
        CommandLines.succeed(
                "prune", TEACHER, "--random", "1", "--num-hidden-layers", "2", "--to", to);
        JsonNode shallow = run("inspect", to, "--json").json();
        JsonNode teacher = run("inspect", TEACHER, "--json").json();
        assertThat(shallow.at("/config/num_hidden_layers").asInt()).isEqualTo(2);
        int layers = teacher.at("/config/num_hidden_layers").asInt();
        assertThat(shallow.path("non_embedding_parameters").asDouble() * layers / 2)
                .isCloseTo(
                        teacher.path("non_embedding_parameters").asDouble(),
                        within(teacher.at("/config/hidden_size").asDouble()));
        CommandLines.fails(
                2,
                "--num-hidden-layers 9 is larger than the teacher's " + layers,
                "prune",
                TEACHER,
                "--random",
                "1",
                "--num-hidden-layers",
                "9",
                "--to",
                folder.resolve("deeper").toString());
    }

    /// What would be found in hours is found at once: nothing has been written.
    @Test
    void compressRefusesBeforeItBegins() throws IOException {
        Path text = Files.writeString(folder.resolve("some.txt"), "some text\n".repeat(2000));
        Path to = folder.resolve("refused");
        String[][] wrong = {
            {"--sequence-length", "512", "more than the model's context of 256"},
            {"--data-dir", folder.toString(), "--data-dir and --limit are for --tasks"},
            {"--limit", "5", "--data-dir and --limit are for --tasks"},
            {"--tasks", "winogrand", "there is no task 'winogrand'"},
        };
        for (String[] one : wrong) {
            CommandLines.Outcome outcome =
                    run(
                            "compress",
                            TEACHER,
                            "--intermediate-size",
                            "480",
                            "--data",
                            text.toString(),
                            "--tokens",
                            "16384",
                            "--to",
                            to.toString(),
                            one[0],
                            one[1]);
            assertThat(outcome.status()).isNotZero();
            assertThat(outcome.err()).contains(one[2]);
            assertThat(to).doesNotExist();
        }
    }
}
