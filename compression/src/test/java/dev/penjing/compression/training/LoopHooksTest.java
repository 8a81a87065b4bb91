package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two ranks in one process, which share each batch, come to the weights of one that has it all.
class LoopHooksTest {
    private static final ModelConfig TEACHER = TinyModels.llama("");
    private static final ModelConfig STUDENT = TinyModels.student(TEACHER);

    @TempDir Path folder;
    private Path tokens = Path.of("");

    @BeforeEach
    void writeTokens() throws IOException {
        tokens = TinyModels.tokens(folder, 3000, 2);
    }

    /// Ranks that meet at a barrier and add what the others brought, rank 0's first.
    private static final class Ranks {
        final CyclicBarrier barrier;
        final float[][] gradients;
        final double[][] sums;
        final boolean add;

        /// @param add whether gradients are added up: else each rank goes by its own part of a
        ///   batch
        Ranks(int count, boolean add) {
            this.add = add;
            barrier = new CyclicBarrier(count);
            gradients = new float[count][];
            sums = new double[count][];
        }

        private void meet() {
            try {
                barrier.await(60, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new IllegalStateException("a rank is missing", e);
            }
        }

        LoopHooks rank(int rank) {
            return new LoopHooks() {
                @Override
                public int rank() {
                    return rank;
                }

                @Override
                public int worldSize() {
                    return gradients.length;
                }

                @Override
                public void allGather(Tensor flat) {
                    float[] all = Tensors.floats(flat);
                    gradients[rank] = all;
                    meet();
                    for (int r = 0; r < gradients.length; r++) {
                        Shard shard = Shard.of(all.length, r, gradients.length);
                        System.arraycopy(
                                gradients[r],
                                (int) shard.from(),
                                all,
                                (int) shard.from(),
                                (int) shard.size());
                    }
                    try (AutoGradMode noGrad = new AutoGradMode(false);
                            PointerScope scope = new PointerScope()) {
                        flat.copy_(TinyModels.tensor(all, all.length));
                    }
                    meet();
                }

                @Override
                public void reduceScatter(Tensor gradient) {
                    gradients[rank] = Tensors.floats(gradient);
                    meet();
                    float[] sum = gradients[add ? 0 : rank].clone();
                    for (int r = 1; r < gradients.length; r++) {
                        for (int i = 0; add && i < sum.length; i++) {
                            sum[i] += gradients[r][i];
                        }
                    }
                    try (AutoGradMode noGrad = new AutoGradMode(false);
                            PointerScope scope = new PointerScope()) {
                        gradient.copy_(TinyModels.tensor(sum, sum.length));
                    }
                    meet();
                }

                @Override
                public void allReduce(double[] values) {
                    sums[rank] = values.clone();
                    meet();
                    for (int i = 0; i < values.length; i++) {
                        values[i] = 0;
                        for (double[] one : sums) {
                            values[i] += one[i];
                        }
                    }
                    meet();
                }
            };
        }
    }

    private static TrainingSettings settings(int microBatch) {
        return TrainingSettings.builder(5 * 8L * 32)
                .learningRate(1e-3, 1e-4)
                .warmupSteps(1)
                .globalBatchSize(8)
                .microBatchSize(microBatch)
                .sequenceLength(32)
                .checkpointEvery(2)
                .build();
    }

    private void train(Path run, Path model, LoopHooks hooks, int microBatch) {
        Compute compute = Compute.start("cpu", "float32", 1);
        try (FlatParameters taught = TinyModels.parameters(TEACHER, compute);
                Decoder teacher = new Decoder(TEACHER, taught, compute);
                TokenFile file = TokenFile.open(tokens);
                Trainer trainer =
                        new Trainer(
                                settings(microBatch),
                                STUDENT,
                                RandomWeights.draw(STUDENT, 4, compute),
                                Optional.of(teacher),
                                new Sequences(file, 32, 4),
                                Optional.empty(),
                                compute,
                                hooks)) {
            trainer.run(run, "ranks", false, Progress.NONE);
            trainer.save(model, DType.F32);
        }
    }

    private void together(Path run, boolean add) throws Exception {
        Ranks ranks = new Ranks(2, add);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> running = new ArrayList<>();
            for (int rank = 0; rank < 2; rank++) {
                Path model = run.resolve("model" + rank);
                LoopHooks hooks = ranks.rank(rank);
                // each rank works in a folder that others of its machine might not see, but for
                // what rank 0 wrote
                running.add(threads.submit(() -> train(run, model, hooks, 2)));
            }
            for (Future<?> one : running) {
                one.get(120, TimeUnit.SECONDS);
            }
        }
    }

    private static float[] weights(Path model) {
        try (FlatParameters parameters =
                FlatParameters.load(model, STUDENT, Compute.float32(), ScalarType.Float)) {
            return Tensors.floats(parameters.flat());
        }
    }

    @Test
    void twoRanksComeToTheWeightsOfOne() throws Exception {
        Path two = folder.resolve("two");
        together(two, true);
        train(folder.resolve("one"), folder.resolve("model"), LoopHooks.SINGLE, 8);
        float[] first = weights(two.resolve("model0"));
        float[] one = weights(folder.resolve("model"));
        assertThat(weights(two.resolve("model1"))).isEqualTo(first);
        assertThat(first).containsExactly(one, within(2e-5f));
        // had a rank seen half of the batch alone, the weights would be others
        together(folder.resolve("half"), false);
        assertThat(TinyModels.difference(weights(folder.resolve("half/model0")), one))
                .isGreaterThan(5e-4);
        // a step is written once, by rank 0
        assertThat(Files.readAllLines(two.resolve("metrics.jsonl"))).hasSize(5);
    }

    @Test
    void aBatchThatCannotBeSharedIsRefused() {
        LoopHooks ninth = new Ranks(9, true).rank(8);
        assertThatThrownBy(() -> train(folder.resolve("a"), folder.resolve("b"), ninth, 8))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("globalBatchSize 8 leaves some of 9 ranks without");
    }
}
