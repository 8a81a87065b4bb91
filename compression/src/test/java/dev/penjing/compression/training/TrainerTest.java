package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.Parameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.files.ProcessMemory;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
    private static final ModelConfig TEACHER = TinyModels.llama("");
    private static final ModelConfig STUDENT = TEACHER.resized(
                    TEACHER.shape()
                            .with(Axis.HIDDEN, 32)
                            .with(Axis.NEURON, 48)
                            .with(Axis.QUERY_HEAD, 4));

    @TempDir Path folder;
    private Path tokens = Path.of("");

    @BeforeEach
    void writeTokens() throws IOException {
        tokens = folder.resolve("tokens.bin");
        ByteBuffer bytes = ByteBuffer.allocate(4 * 5000).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(9);
        int id = 0;
        while (bytes.hasRemaining()) {
            id = random.nextInt(4) == 0 ? random.nextInt(64) : (id * 5 + 1) % 64;
            bytes.putInt(id);
        }
        Files.write(tokens, bytes.array());
    }

    private static TrainingSettings settings(int steps, int microBatch, double learningRate) {
        return new TrainingSettings(
                steps * 8L * 32, learningRate, 1e-4, 2, 8, microBatch, 32, 4, 0.1, 1, 1000, 5);
    }

    /// Trains in `run`, from a checkpoint if there is one, and stops after `killedAt` steps.
    private byte[] train(
            Path run, TrainingSettings settings, Compute compute, boolean distil, int killedAt) {
        Progress progress =
                (what, done, total, note) -> {
                    if (done == killedAt) {
                        throw new IllegalStateException("killed");
                    }
                };
        Parameters taught = TinyModels.parameters(TEACHER, compute);
        try (taught;
                Decoder teacher = new Decoder(TEACHER, taught, Compute.float32());
                TokenFile file = TokenFile.open(tokens);
                Trainer trainer =
                        new Trainer(
                                settings,
                                STUDENT,
                                RandomWeights.draw(STUDENT, 4, compute),
                                distil ? Optional.of(teacher) : Optional.empty(),
                                new Sequences(file, 32, 4),
                                Optional.empty(),
                                compute)) {
            trainer.run(run, "fingerprint", true, progress);
            trainer.save(run.resolve("model"), DType.F32);
            return Files.readAllBytes(run.resolve("model").resolve("model.safetensors"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void stoppedAnywhereItComesToTheSameWeights() {
        for (String type : new String[] {"float32", "bfloat16"}) {
            Compute compute = Compute.start("cpu", type, 2);
            boolean distil = type.equals("float32");
            byte[] whole =
                    train(
                            folder.resolve("whole" + type),
                            settings(23, 4, 1e-2),
                            compute,
                            distil,
                            -1);
            Path run = folder.resolve("killed" + type);
            for (int killedAt : new int[] {3, 9, 10, 16, 22}) {
                assertThatThrownBy(
                                () -> train(run, settings(23, 4, 1e-2), compute, distil, killedAt))
                        .hasMessage("killed");
            }
            assertThat(train(run, settings(23, 4, 1e-2), compute, distil, -1)).isEqualTo(whole);
        }
    }

    @Test
    void theMicroBatchDoesNotMatter() throws IOException {
        Compute compute = Compute.float32();
        train(folder.resolve("a"), settings(6, 8, 1e-2), compute, true, -1);
        train(folder.resolve("b"), settings(6, 1, 1e-2), compute, true, -1);
        assertThat(lastLoss(folder.resolve("a")))
                .isCloseTo(lastLoss(folder.resolve("b")), within(1e-5));
    }

    @Test
    void learns() throws IOException {
        Compute compute = Compute.float32();
        train(folder.resolve("run"), settings(60, 8, 1e-2), compute, false, -1);
        assertThat(lastLoss(folder.resolve("run"))).isLessThan(3.2); // uniform: ln 64 = 4.16
        assertThat(folder.resolve("run/checkpoints").toFile().list()).hasSize(2);
    }

    private static double lastLoss(Path run) throws IOException {
        String last = Files.readAllLines(run.resolve("metrics.jsonl")).getLast();
        return Double.parseDouble(last.replaceAll(".*\"loss\":([0-9.E-]+).*", "$1"));
    }

    @Test
    void aLossThatIsNotFiniteStopsTheRun() {
        Path run = folder.resolve("run");
        assertThatThrownBy(() -> train(run, settings(200, 8, 1e30), Compute.float32(), false, -1))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("not finite at step")
                .hasMessageContaining("--learning-rate");
    }

    @Test
    void anotherVocabularyIsRefused() {
        ModelConfig other =
                ModelConfig.parse(
                        TEACHER.toJson().replaceAll("\"vocab_size\" : 64", "\"vocab_size\" : 70"),
                        "test");
        Compute compute = Compute.float32();
        try (Parameters taught = TinyModels.parameters(TEACHER, compute);
                Decoder teacher = new Decoder(TEACHER, taught, compute);
                TokenFile file = TokenFile.open(tokens)) {
            assertThatThrownBy(() ->
                            new Trainer(
                                            settings(1, 1, 1e-3),
                                            other,
                                            RandomWeights.draw(other, 1, compute),
                                            Optional.of(teacher),
                                            new Sequences(file, 32, 1),
                                            Optional.empty(),
                                            compute)
                                    .close())
                    .hasMessageContaining("vocabulary has 64 tokens, the student's 70");
        }
    }

    @Test
    void memoryStaysFlat() throws IOException {
        Compute compute = Compute.float32();
        // the JVM's own memory grows by a dozen megabytes while code is being compiled
        train(folder.resolve("warm"), settings(200, 8, 1e-2), compute, true, -1);
        long grown = Long.MAX_VALUE;
        // the heap may grow in one of them; what leaks does so in each
        for (int run = 0; run < 3 && grown >= 12L << 20; run++) {
            long before = resident();
            train(folder.resolve("run" + run), settings(500, 8, 1e-2), compute, true, -1);
            grown = Math.min(grown, resident() - before);
        }
        assertThat(ProcessMemory.peakResidentBytes()).isPositive();
        // a leak of the smallest activation, 32 KB a step, would come to 16 MB
        assertThat(grown).isLessThan(12L << 20);
    }

    private static long resident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) * 1024)
                .sum();
    }

    @Test
    void theLearningRateWarmsUpAndFallsToItsMinimum() {
        TrainingSettings settings = settings(100, 8, 1e-2);
        assertThat(settings.learningRateAt(1)).isCloseTo(5e-3, within(1e-12));
        assertThat(settings.learningRateAt(2)).isCloseTo(1e-2, within(1e-12));
        assertThat(settings.learningRateAt(51)).isCloseTo(5.05e-3, within(1e-12));
        assertThat(settings.learningRateAt(100)).isCloseTo(1e-4, within(1e-12));
    }
}
