package dev.penjing.compression.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.compression.TinyModels;
import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.Test;

class AdamWTest {
    /// The algorithm as the paper has it, in double precision, a weight at a time.
    @Test
    void isTheAlgorithm() {
        Compute compute = Compute.float32();
        ModelConfig config = TinyModels.llama("");
        Random random = new Random(3);
        try (FlatParameters parameters = TinyModels.parameters(config, compute);
                AdamW optimizer = new AdamW(parameters, 0.1, compute);
                PointerScope scope = new PointerScope()) {
            int size = Math.toIntExact(parameters.layout().size());
            int matrices = Math.toIntExact(parameters.layout().matrices());
            float[] start = Tensors.floats(parameters.flat());
            double[] p = new double[size];
            double[] m = new double[size];
            double[] v = new double[size];
            for (int i = 0; i < size; i++) {
                p[i] = start[i];
            }
            for (int step = 1; step <= 3; step++) {
                float[] g = new float[size];
                for (int i = 0; i < size; i++) {
                    g[i] = (float) random.nextGaussian();
                }
                double rate = 0.01 * step;
                double scale = 0.5;
                optimizer.step(TinyModels.tensor(g.clone(), size), scale, rate, step);
                for (int i = 0; i < size; i++) {
                    double gradient = g[i] * scale;
                    p[i] *= 1 - rate * (i < matrices ? 0.1 : 0);
                    m[i] = 0.9 * m[i] + 0.1 * gradient;
                    v[i] = 0.95 * v[i] + 0.05 * gradient * gradient;
                    double mHat = m[i] / (1 - Math.pow(0.9, step));
                    double vHat = v[i] / (1 - Math.pow(0.95, step));
                    p[i] -= rate * mHat / (Math.sqrt(vHat) + 1e-8);
                }
            }
            float[] end = Tensors.floats(parameters.flat());
            for (int i = 0; i < size; i += 97) {
                assertThat((double) end[i]).isCloseTo(p[i], within(2e-6));
            }
            assertThat((double) end[size - 1]).isCloseTo(p[size - 1], within(2e-6));
        }
    }

    /// Ranks that update a shard each come to what one comes to that updates all, and hold the
    /// moments of their shard alone.
    @Test
    void shardsTogetherAreTheWhole() {
        Compute compute = Compute.float32();
        ModelConfig config = TinyModels.llama("");
        try (FlatParameters whole = TinyModels.parameters(config, compute);
                FlatParameters shared = TinyModels.parameters(config, compute);
                AdamW optimizer = new AdamW(whole, 0.1, compute)) {
            int size = Math.toIntExact(whole.layout().size());
            float[] gradient = new float[size];
            Random random = new Random(5);
            for (int i = 0; i < size; i++) {
                gradient[i] = (float) random.nextGaussian();
            }
            optimizer.step(TinyModels.tensor(gradient.clone(), size), 0.5, 0.01, 1);
            // the last shard holds both matrices and vectors
            for (int rank = 0; rank < 3; rank++) {
                Shard shard = Shard.of(size, rank, 3);
                try (AdamW part = new AdamW(shared, shard, 0.1, compute)) {
                    part.step(TinyModels.tensor(gradient.clone(), size), 0.5, 0.01, 1);
                    assertThat(part.mean().numel()).isEqualTo(shard.size());
                    assertThat(part.square().numel()).isBetween(size / 3L, size / 3L + 1);
                }
            }
            assertThat(Tensors.floats(shared.flat()))
                    .containsExactly(Tensors.floats(whole.flat()), within(1e-7f));
        }
    }
}
