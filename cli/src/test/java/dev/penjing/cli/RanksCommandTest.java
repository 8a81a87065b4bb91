package dev.penjing.cli;

import static dev.penjing.cli.CommandLines.TEACHER;
import static dev.penjing.cli.CommandLines.fails;
import static dev.penjing.cli.CommandLines.succeed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// `distill` by several processes: as one does it, and whatever happens to them.
@Timeout(300)
class RanksCommandTest {
    @TempDir static Path folder;
    private static Path whole = Path.of("");

    @BeforeAll
    static void trainUndisturbed() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            lines.add(
                    "{\"text\": \"Number %d of %d stories: the fox saw %d hens.\"}"
                            .formatted(i, i * 7, i * 31 % 97));
        }
        Files.write(folder.resolve("text.jsonl"), lines);
        whole = folder.resolve("whole");
        assertThat(end(start(whole, "--ranks", "2")).status()).isZero();
    }

    private static List<String> arguments(Path to, String... more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "distill",
                                "--teacher",
                                TEACHER,
                                "--student",
                                TEACHER,
                                "--on-text",
                                "--data",
                                folder.resolve("text.jsonl").toString(),
                                "--tokens",
                                "2560",
                                "--sequence-length",
                                "64",
                                "--global-batch-size",
                                "4",
                                "--micro-batch-size",
                                "1",
                                "--warmup-steps",
                                "2",
                                "--checkpoint-every",
                                "3",
                                "--evaluate-every",
                                "1000",
                                "--dtype",
                                "float32",
                                "--to",
                                to.toString()));
        arguments.addAll(List.of(more));
        return arguments;
    }

    private static Process start(Path to, String... more) throws IOException {
        return CommandLines.start(Map.of(), arguments(to, more).toArray(String[]::new));
    }

    private record Ended(int status, String said) {}

    private static Ended end(Process process) throws Exception {
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(said).isTrue();
        return new Ended(process.exitValue(), said);
    }

    private static byte[] model(Path to) throws IOException {
        return Files.readAllBytes(to.resolve("model.safetensors"));
    }

    private static double[] losses(Path to) throws IOException {
        return Files.readAllLines(to.resolve("work/metrics.jsonl")).stream()
                .map(line -> JsonMapper.shared().readTree(line))
                .filter(line -> line.has("loss"))
                .mapToDouble(line -> line.path("loss").asDouble())
                .toArray();
    }

    private static void awaitCheckpoint(Path to, Process process) throws InterruptedException {
        Path manifest = to.resolve("work/checkpoints/step-00000003/manifest.json");
        while (!Files.exists(manifest)) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(10);
        }
    }

    @Test
    void twoProcessesComeToTheLossesOfOne() throws Exception {
        Path one = folder.resolve("one");
        succeed(arguments(one, "--threads", "1").toArray(String[]::new));
        assertThat(losses(whole)).hasSize(10).containsExactly(losses(one), within(1e-4));
    }

    /// The launcher starts both again, and they go on from the manifest.
    @Test
    void aRankThatIsKilledIsStartedAgain() throws Exception {
        Path to = folder.resolve("killed");
        Process launcher = start(to, "--ranks", "2");
        awaitCheckpoint(to, launcher);
        launcher.children().toList().getLast().destroyForcibly();
        Ended ended = end(launcher);
        assertThat(ended.said())
                .contains("was ended by signal 9")
                .containsPattern("rank . \\(process \\d+ on .*\\) ended in the middle of the run")
                .contains("all ranks start again from the last checkpoint (1 of 3 times)");
        assertThat(ended.status()).isZero();
        assertThat(model(to)).isEqualTo(model(whole));
    }

    /// Ctrl-C or SIGTERM: every rank stops after the same step; resumed, nothing is lost.
    @Test
    void toldToEndItLeavesACheckpoint() throws Exception {
        Path to = folder.resolve("ended");
        Process launcher = start(to, "--ranks", "2");
        awaitCheckpoint(to, launcher);
        launcher.toHandle().destroy();
        Ended ended = end(launcher);
        assertThat(ended.status()).isEqualTo(143);
        assertThat(ended.said())
                .containsPattern("penjing: stopped after step \\d+ of 10.*with --resume");
        assertThat(end(start(to, "--ranks", "2", "--resume")).status()).isZero();
        assertThat(model(to)).isEqualTo(model(whole));
    }

    /// No rank stays behind when who started them is gone.
    @Test
    void ranksEndWithTheirStarter() throws Exception {
        Path to = folder.resolve("alone");
        Process launcher = start(to, "--ranks", "2");
        awaitCheckpoint(to, launcher);
        List<ProcessHandle> ranks = launcher.children().toList();
        assertThat(ranks).hasSize(2);
        launcher.destroyForcibly();
        for (ProcessHandle rank : ranks) {
            rank.onExit().get(20, TimeUnit.SECONDS);
        }
        assertThat(to.resolve("model.safetensors")).doesNotExist();
    }

    @Test
    void whatCannotBeIsSaidOnce() throws Exception {
        // an error of a rank's own is not tried again
        Ended ended = end(start(folder.resolve("none"), "--ranks", "2", "--learning-rate", "-1"));
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.said()).doesNotContain("start again");
        fails(
                2,
                "--ranks",
                arguments(folder.resolve("none"), "--ranks", "-1").toArray(String[]::new));
    }
}
