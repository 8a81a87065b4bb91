package dev.penjing.compression.ranks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.training.LoopHooks;
import dev.penjing.compression.training.RandomWeights;
import dev.penjing.compression.training.Stopped;
import dev.penjing.compression.training.Trainer;
import dev.penjing.compression.training.TrainingSettings;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.Folders;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// Distillation by ranks that exchange over Gloo is distillation by one process.
@Timeout(60)
class GlooTrainingTest {
    private static final ModelConfig TEACHER = TinyModels.llama("");
    private static final ModelConfig STUDENT = TinyModels.student(TEACHER);
    private static final int STEPS = 7;

    @TempDir Path folder;
    private Path tokens = Path.of("");

    @BeforeEach
    void writeTokens() throws IOException {
        tokens = TinyModels.tokens(folder, 3000, 2);
    }

    /// Two sequences at once of eight: with three ranks the shares are of two and of three.
    private static TrainingSettings settings() {
        return TrainingSettings.builder(STEPS * 8L * 32)
                .learningRate(1e-3, 1e-4)
                .warmupSteps(1)
                .globalBatchSize(8)
                .microBatchSize(2)
                .sequenceLength(32)
                .checkpointEvery(2)
                .build();
    }

    private Path train(Path run, LoopHooks hooks, Progress progress) {
        Compute compute = Compute.start("cpu", "float32", 1);
        try (FlatParameters taught = TinyModels.parameters(TEACHER, compute);
                Decoder teacher = new Decoder(TEACHER, taught, compute);
                TokenFile file = TokenFile.open(tokens);
                Trainer trainer =
                        new Trainer(
                                settings(),
                                STUDENT,
                                RandomWeights.draw(STUDENT, 4, compute),
                                Optional.of(teacher),
                                new Sequences(file, 32, 4),
                                Optional.empty(),
                                compute,
                                hooks)) {
            trainer.run(run, "ranks", true, progress);
            trainer.save(run.resolve("model" + hooks.rank()), DType.F32);
        }
        return run;
    }

    private void together(int worldSize, Path run) throws Exception {
        RankThreads.run(worldSize, ranks -> train(run, ranks, Progress.NONE));
    }

    private static byte[] model(Path run, int rank) {
        try {
            return Files.readAllBytes(run.resolve("model" + rank).resolve("model.safetensors"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double[] losses(Path run) throws IOException {
        return Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                .mapToDouble(l -> JsonMapper.shared().readTree(l).path("loss").asDouble())
                .toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void theLossesAreThoseOfOneRank(int worldSize) throws Exception {
        Path one = folder.resolve("one");
        train(one, LoopHooks.SINGLE, Progress.NONE);
        Path many = folder.resolve("many");
        together(worldSize, many);
        assertThat(losses(many)).hasSize(STEPS).containsExactly(losses(one), within(1e-5));
        for (int rank = 1; rank < worldSize; rank++) {
            assertThat(model(many, rank)).isEqualTo(model(many, 0));
        }
    }

    /// Ends rank 1 by an error after `step`; the other rank names it.
    private void killed(Path run, int step) {
        assertThatThrownBy(() ->
                        RankThreads.run(
                                2,
                                ranks -> {
                                    try {
                                        return train(
                                                run,
                                                ranks,
                                                (what, done, total, note) -> {
                                                    if (done == step && ranks.rank() == 1) {
                                                        throw new IllegalStateException("killed");
                                                    }
                                                });
                                    } catch (IllegalStateException e) {
                                        ranks.fail("killed");
                                        return run;
                                    }
                                }))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(RankLost.class)
                .hasMessageMatching("rank 1 \\(process \\d+ on .*\\) failed: killed");
    }

    @Test
    void killedItComesToTheSameWeightsAndGoesOnWithAnotherNumber() throws Exception {
        Path whole = folder.resolve("whole");
        together(2, whole);
        Path run = folder.resolve("run");
        // before the first checkpoint, and after the second
        killed(run, 1);
        killed(run, 5);
        Path checkpoints = run.resolve("checkpoints");
        assertThat(checkpoints.toFile().list())
                .containsExactlyInAnyOrder("step-00000002", "step-00000004");
        assertThat(checkpoints.resolve("step-00000004").toFile().list())
                .containsExactlyInAnyOrder(
                        "manifest.json",
                        "shard-00000-of-00002.safetensors",
                        "shard-00001-of-00002.safetensors");
        Path other = folder.resolve("other");
        copy(run, other);
        // as if the kill had come before the manifest, and a shard were half written
        Files.delete(checkpoints.resolve("step-00000004/manifest.json"));
        Files.write(
                checkpoints.resolve("step-00000004/shard-00001-of-00002.safetensors"), new byte[7]);
        together(2, run);
        assertThat(model(run, 0)).isEqualTo(model(whole, 0));
        for (int worldSize : new int[] {3, 1}) {
            Path on = folder.resolve("on" + worldSize);
            copy(other, on);
            if (worldSize == 1) {
                train(on, LoopHooks.SINGLE, Progress.NONE);
            } else {
                together(worldSize, on);
            }
            assertThat(losses(on)).containsExactly(losses(whole), within(1e-5));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Folders.delete(to);
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }

    @Test
    void aCheckpointThatIsNotWholeIsRefused() throws Exception {
        Path run = folder.resolve("run");
        together(2, run);
        Path newest = run.resolve("checkpoints/step-00000007");
        Files.write(newest.resolve("shard-00000-of-00002.safetensors"), new byte[7]);
        assertThatThrownBy(() -> train(run, LoopHooks.SINGLE, Progress.NONE))
                .isInstanceOf(PenjingException.class)
                .hasMessage(
                        newest + " is not whole: remove it to go on from the checkpoint before it");
    }

    /// One rank is told to stop, all stop after the same step, and nothing is lost.
    @Test
    void toldToStopAllLeaveACheckpoint() throws Exception {
        Path whole = folder.resolve("whole");
        together(2, whole);
        Path run = folder.resolve("run");
        AtomicLong step = new AtomicLong();
        assertThatThrownBy(() ->
                        RankThreads.run(
                                2,
                                () -> step.get() >= 2,
                                ranks ->
                                        train(
                                                run,
                                                ranks,
                                                (what, done, total, note) -> {
                                                    if (ranks.rank() == 1) {
                                                        step.set(done);
                                                    }
                                                })))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(Stopped.class)
                .hasMessageContaining("stopped after step 3 of 7");
        assertThat(run.resolve("checkpoints/step-00000003/manifest.json")).exists();
        together(2, run);
        assertThat(model(run, 0)).isEqualTo(model(whole, 0));
        assertThat(losses(run)).isEqualTo(losses(whole));
    }
}
