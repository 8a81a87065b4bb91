package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.quantization.Bfloat16;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FakeQuantizationTest {
    private static final Compute COMPUTE = Compute.float32();
    private static final Path BUNDLED = Path.of("..", "teacher");

    /// Whole blocks of 32 in every row.
    private static final ModelConfig CONFIG =
            TinyModels.llama("")
                    .resized(
                            TinyModels.llama("")
                                    .shape()
                                    .with(Axis.HIDDEN, 32)
                                    .with(Axis.NEURON, 64)
                                    .with(Axis.QUERY_HEAD, 4));

    @TempDir Path folder;

    /// What a student in training computes with is what a reader of its file gets, bit for bit.
    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K_M", "IQ4_XS"})
    void weightsAreThoseOfTheFile(FileType type) {
        ModelConfig config = ModelConfig.read(BUNDLED.resolve("config.json"));
        Path file = folder.resolve("model.gguf");
        GgufExport.run(BUNDLED, file, type, Progress.NONE);
        GgufImport.runExact(file, folder.resolve("read"), Progress.NONE);
        try (FlatParameters rounded =
                        FlatParameters.load(BUNDLED, config, COMPUTE, ScalarType.Float);
                FlatParameters halves =
                        FlatParameters.load(BUNDLED, config, COMPUTE, ScalarType.BFloat16);
                FlatParameters read =
                        FlatParameters.load(
                                folder.resolve("read"), config, COMPUTE, ScalarType.Float);
                FakeQuantization one = new FakeQuantization(type, rounded, config, 1);
                FakeQuantization two = new FakeQuantization(type, halves, config, 2)) {
            float[] before = Tensors.floats(rounded.flat());
            one.round(rounded);
            two.round(halves);
            float[] expected = Tensors.floats(read.flat());
            assertThat(Arrays.equals(Tensors.floats(rounded.flat()), expected)).isTrue();
            assertThat(Arrays.equals(before, expected)).isFalse();
            float[] upper = Tensors.floats(halves.flat());
            for (int i = 0; i < upper.length; i++) {
                assertThat(upper[i]).isEqualTo(Bfloat16.toFloat(Bfloat16.bits(expected[i])));
            }
        }
    }

    /// The straight-through estimator: the gradient is that of a student whose weights are the
    /// rounded ones, and the weights that it goes to stay as fine as they were.
    @Test
    void theGradientIsThatOfTheRoundedWeights() {
        FlatParameters fine = TinyModels.parameters(CONFIG, COMPUTE);
        float[] before = Tensors.floats(fine.flat());
        FlatParameters coarse = TinyModels.parameters(CONFIG, COMPUTE);
        try (FakeQuantization rounding = new FakeQuantization(FileType.Q4_0, coarse, CONFIG, 1)) {
            rounding.round(coarse);
        }
        assertThat(Arrays.equals(Tensors.floats(coarse.flat()), before)).isFalse();
        try (Student student = new Student(CONFIG, fine, Optional.of(FileType.Q4_0), COMPUTE);
                Student plain = new Student(CONFIG, coarse, Optional.empty(), COMPUTE)) {
            assertThat(Arrays.equals(gradient(student), gradient(plain))).isTrue();
            assertThat(Arrays.equals(Tensors.floats(student.master().flat()), before)).isTrue();
        }
    }

    private static float[] gradient(Student student) {
        try (HeadLoss loss = new HeadLoss(new CrossEntropy(), 1);
                PointerScope scope = new PointerScope()) {
            Tensor inputs = Tensors.ids(TinyModels.ids(24), 2, 12);
            Tensor targets = Tensors.ids(TinyModels.ids(24), 1, 24).view(-1);
            student.accumulate(
                    inputs, targets, Optional.empty(), loss, Optional.empty(), 1, new StepTimes());
            return Tensors.floats(student.gradient());
        }
    }

    /// A model that is rounded to four bits, and healed for it, comes nearer to what it was; what
    /// is saved is still fine. A run that was stopped comes to the same weights.
    @Test
    void healingForAFileBringsTheFileNearerToTheTeacher() throws IOException {
        TinyModels.tokens(folder, 6000, 3);
        byte[] whole = train(folder.resolve("whole"), -1);
        assertThatThrownBy(() -> train(folder.resolve("killed"), 17)).hasMessage("killed");
        assertThat(train(folder.resolve("killed"), -1)).isEqualTo(whole);
        double[] divergences = divergences(folder.resolve("whole"));
        assertThat(divergences[0]).isGreaterThan(0);
        assertThat(divergences[1]).isLessThan(0.6 * divergences[0]);
    }

    private byte[] train(Path run, int killedAt) throws IOException {
        TrainingSettings settings =
                TrainingSettings.builder(60 * 8L * 32)
                        .learningRate(2e-4, 0)
                        .warmupSteps(2)
                        .globalBatchSize(8)
                        .sequenceLength(32)
                        .weightDecay(0)
                        .evaluateEvery(60)
                        .checkpointEvery(10)
                        .quantization(Optional.of(FileType.Q4_0))
                        .build();
        Progress progress =
                (what, done, total, note) -> {
                    if (done == killedAt && what.equals("distill")) {
                        throw new IllegalStateException("killed");
                    }
                };
        FlatParameters taught = TinyModels.parameters(CONFIG, COMPUTE);
        try (taught;
                Decoder teacher = new Decoder(CONFIG, taught, COMPUTE);
                TokenFile file = TokenFile.open(folder.resolve("tokens.bin"));
                Trainer trainer =
                        new Trainer(
                                settings,
                                CONFIG,
                                TinyModels.parameters(CONFIG, COMPUTE),
                                Optional.of(teacher),
                                new Sequences(file, 32, 4),
                                Optional.of(HeldOut.of(file, 64, new TinyModels.Bytes(), 2048)),
                                COMPUTE)) {
            trainer.run(run, "fingerprint", true, progress);
            trainer.save(run.resolve("model"), DType.F32);
            return Files.readAllBytes(run.resolve("model").resolve("model.safetensors"));
        }
    }

    /// On the held-out text, first and last.
    private static double[] divergences(Path run) throws IOException {
        double[] all =
                Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                        .filter(line -> line.contains("\"divergence\""))
                        .mapToDouble(line ->
                                Double.parseDouble(
                                        line.replaceAll(".*\"divergence\":([0-9.eE-]+).*", "$1")))
                        .toArray();
        return new double[] {all[0], all[all.length - 1]};
    }

    @Test
    void typesWithoutBlocksAreRefused() {
        assertThat(Arrays.stream(FileType.values()).filter(FileType::blocks)).hasSize(12);
        for (FileType type : new FileType[] {FileType.F16, FileType.BF16, FileType.F32}) {
            assertThatThrownBy(() ->
                            TrainingSettings.builder(1000).quantization(Optional.of(type)).build())
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("q4_k_m");
        }
    }
}
