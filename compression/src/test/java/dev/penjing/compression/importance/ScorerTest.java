package dev.penjing.compression.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScorerTest {
    private static final int LENGTH = 16;
    private static final int SAMPLES = 6;

    @TempDir Path folder;

    private TokenFile tokens() throws IOException {
        return TokenFile.open(TinyModels.tokens(folder, 400, 2));
    }

    /// The formulas, a sample at a time, in double precision.
    private static final class Plain implements Probe {
        final double[] neurons = new double[80];
        final double[] heads = new double[96];
        final double[] norms = new double[48];
        double influence;

        private static void add(double[] sums, Tensor activation) {
            float[] values = Tensors.floats(activation);
            for (int i = 0; i < sums.length; i++) {
                double mean = 0;
                for (int l = 0; l < LENGTH; l++) {
                    mean += Math.abs(values[l * sums.length + i]) / LENGTH;
                }
                sums[i] += mean * mean;
            }
        }

        @Override
        public void norm(int layer, boolean afterAttention, Tensor outputND) {
            if (layer == 1 && afterAttention) {
                add(norms, outputND);
            }
        }

        @Override
        public void heads(int layer, Tensor outputNHE) {
            if (layer == 1) {
                add(heads, outputNHE);
            }
        }

        @Override
        public void neurons(int layer, Tensor activationNF) {
            if (layer == 1) {
                add(neurons, activationNF);
            }
        }

        @Override
        public void layer(int layer, Tensor inputND, Tensor outputND) {
            if (layer == 1) {
                float[] a = Tensors.floats(inputND);
                float[] b = Tensors.floats(outputND);
                for (int l = 0; l < LENGTH; l++) {
                    double dot = 0;
                    double aa = 0;
                    double bb = 0;
                    for (int i = l * 48; i < l * 48 + 48; i++) {
                        dot += (double) a[i] * b[i];
                        aa += (double) a[i] * a[i];
                        bb += (double) b[i] * b[i];
                    }
                    influence += (1 - dot / Math.sqrt(aa * bb)) / LENGTH / SAMPLES;
                }
            }
        }
    }

    @Test
    void isTheFormulaForAnyMicroBatch() throws IOException {
        ModelConfig config = TinyModels.llama("");
        Compute compute = Compute.float32();
        Plain plain = new Plain();
        try (TokenFile tokens = tokens();
                FlatParameters parameters = TinyModels.parameters(config, compute);
                Decoder decoder = new Decoder(config, parameters, compute)) {
            Sequences sequences = new Sequences(tokens, LENGTH, 1);
            for (int i = 0; i < SAMPLES; i++) {
                int[] ids = java.util.Arrays.copyOf(sequences.sample(i), LENGTH);
                try (PointerScope scope = new PointerScope();
                        AutoGradMode noGrad = new AutoGradMode(false)) {
                    decoder.hidden(decoder.embed(Tensors.ids(ids, 1, LENGTH)), plain);
                }
            }
            for (int microBatch : new int[] {1, 4, 6}) {
                Importance importance =
                        Scorer.score(decoder, sequences, SAMPLES, microBatch, Progress.NONE);
                requireClose(importance.of(Axis.NEURON)[1], plain.neurons);
                requireClose(importance.of(Axis.QUERY_HEAD)[1], plain.heads);
                requireClose(importance.of(Axis.HIDDEN)[3], plain.norms);
                assertThat((double) importance.of(Axis.LAYER)[0][1])
                        .isCloseTo(plain.influence, within(1e-5));
            }
        }
    }

    /// One layer at a time, stopped after each: bit for bit what the whole model says.
    @ParameterizedTest
    @ValueSource(strings = {"float32", "bfloat16"})
    void inLayersItSaysTheSame(String type) throws IOException {
        ModelConfig config = TinyModels.llama("");
        Path teacher = folder.resolve("teacher");
        TinyModels.write(config, teacher, (spec, values) -> values);
        Compute compute = Compute.start("cpu", type, 0);
        try (TokenFile tokens = tokens();
                FlatParameters parameters =
                        FlatParameters.load(teacher, config, compute, compute.type());
                Decoder decoder = new Decoder(config, parameters, compute)) {
            Sequences sequences = new Sequences(tokens, LENGTH, 1);
            Importance whole =
                    Scorer.score(decoder, sequences, SAMPLES, 4096 / LENGTH, Progress.NONE);
            Path work = folder.resolve("work");
            Importance inLayers =
                    inLayers(teacher, config, sequences, compute, work, Progress.NONE);
            for (int stop = 1; stop < 3; stop++) {
                int at = stop;
                assertThatThrownBy(() ->
                                inLayers(
                                        teacher,
                                        config,
                                        sequences,
                                        compute,
                                        work,
                                        (what, done, total, note) -> {
                                            if (done == at) {
                                                throw new IllegalStateException("stop");
                                            }
                                        }))
                        .hasMessage("stop");
            }
            Importance resumed = inLayers(teacher, config, sequences, compute, work, Progress.NONE);
            assertThat(work).doesNotExist();
            for (Axis axis : Importance.AXES) {
                assertThat(inLayers.of(axis)).as(axis.key()).isDeepEqualTo(whole.of(axis));
                assertThat(resumed.of(axis)).as(axis.key()).isDeepEqualTo(whole.of(axis));
            }
        }
    }

    private static Importance inLayers(
            Path teacher,
            ModelConfig config,
            Sequences sequences,
            Compute compute,
            Path work,
            Progress progress) {
        return LayeredScorer.score(
                teacher, config, sequences, SAMPLES, compute, work, "key", progress);
    }

    private static void requireClose(float[] scores, double[] squares) {
        for (int i = 0; i < squares.length; i++) {
            assertThat((double) scores[i]).isCloseTo(Math.sqrt(squares[i]), within(1e-5));
        }
    }

    @Test
    void survivesAFile() {
        ModelConfig config = TinyModels.llama("");
        float[][] neurons = new float[3][80];
        neurons[2][79] = 3;
        Importance importance =
                new Importance(
                        Map.of(
                                Axis.NEURON, neurons,
                                Axis.QUERY_HEAD, new float[3][96],
                                Axis.HIDDEN, new float[6][48],
                                Axis.LAYER, new float[][] {{1, 2, 3}}),
                        7);
        Path file = folder.resolve("importance.safetensors");
        ImportanceFile.write(file, importance, "0123456789abcdef");
        Importance read = ImportanceFile.read(file, config, "0123456789abcdef");
        assertThat(read.samples()).isEqualTo(7);
        assertThat(read.of(Axis.NEURON)).isDeepEqualTo(neurons);
        assertThat(read.of(Axis.LAYER)[0]).containsExactly(1, 2, 3);
        assertThatThrownBy(() ->
                        ImportanceFile.read(
                                file, config.resized(config.shape().with(Axis.NEURON, 90))))
                .hasMessageContaining("does not fit the teacher");
        assertThatThrownBy(() -> ImportanceFile.read(file, config, "another"))
                .hasMessageContaining("holds the scores of another model");
        ImportanceFile.write(file, new Importance(importance.activations(), 0), "");
        assertThatThrownBy(() -> ImportanceFile.read(file, config))
                .hasMessageContaining("was scored on 0 samples");
    }
}
