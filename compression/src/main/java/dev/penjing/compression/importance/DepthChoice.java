package dev.penjing.compression.importance;

import dev.penjing.compression.data.Sequences;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Which layers of a model to keep, by what the model says without the others.
public enum DepthChoice {
    /// Those of the largest block influence (ShortGPT, arXiv 2403.03853): the scores of `score`.
    INFLUENCE,
    /// Those without which, one at a time, perplexity rises most (Minitron, arXiv 2407.14679,
    /// section 2.2).
    PERPLEXITY,
    /// What is left when the layer goes, again and again, without which the logits change least:
    /// their mean squared error, normalised by the teacher's logits.
    LOGITS,
    /// All but the block of neighbours whose ends point most nearly the same way, by the mean angle
    /// between its input and its output (arXiv 2403.17887).
    ANGULAR;

    /// Tokens that go through the model at once: all states of a pass are in memory.
    private static final int BATCH_TOKENS = 2048;

    /// The layers to keep, ascending.
    ///
    /// @param count how many
    /// @param samples sequences to judge by
    /// @throws IllegalArgumentException for [#INFLUENCE], which needs scores and no text
    public int[] kept(Decoder model, Sequences data, int samples, int count, Progress progress) {
        Judge judge = new Judge(model, data, Math.min(samples, data.count()), progress);
        int[] all = IntStream.range(0, model.config().numHiddenLayers()).toArray();
        return switch (this) {
            case INFLUENCE -> throw new IllegalArgumentException("influence is scored, not tried");
            case PERPLEXITY -> judge.best(all, count, judge::crossEntropy);
            case LOGITS -> {
                int[] left = all;
                while (left.length > count) {
                    left = judge.best(left, left.length - 1, judge::logitError);
                }
                yield left;
            }
            case ANGULAR -> judge.withoutBlock(all.length - count);
        };
    }

    /// Runs the model with some of its layers.
    private record Judge(Decoder model, Sequences data, int samples, Progress progress) {
        /// The `count` layers of `left` without which, one at a time, `error` is largest.
        int[] best(int[] left, int count, ToDoubleFunction<int[]> error) {
            double[] errors = new double[left.length];
            for (int i = 0; i < left.length; i++) {
                errors[i] = error.applyAsDouble(without(left, i));
                progress.update("layers", i + 1, left.length, left.length + " left");
            }
            return IntStream.range(0, left.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -errors[i]))
                    .limit(count)
                    .mapToInt(i -> left[i])
                    .sorted()
                    .toArray();
        }

        private static int[] without(int[] layers, int index) {
            return IntStream.range(0, layers.length)
                    .filter(i -> i != index)
                    .map(i -> layers[i])
                    .toArray();
        }

        private interface Pass {
            double run(int[] ids, int rows);
        }

        private double sum(Pass pass) {
            int length = data.length() + 1;
            int most = Math.max(1, BATCH_TOKENS / length);
            double sum = 0;
            for (int at = 0; at < samples; at += most) {
                int rows = Math.min(most, samples - at);
                int[] ids = new int[rows * length];
                for (int i = 0; i < rows; i++) {
                    System.arraycopy(data.sample(at + i), 0, ids, i * length, length);
                }
                try (PointerScope scope = new PointerScope();
                        AutoGradMode noGrad = new AutoGradMode(false)) {
                    sum += pass.run(ids, rows);
                }
            }
            return sum;
        }

        private Tensor inputs(int[] ids, int rows) {
            Tensor all = model.compute().place(Tensors.ids(ids, rows, ids.length / rows));
            return all.narrow(1, 0, data.length()).contiguous();
        }

        private Tensor logits(Tensor inputsBL, int[] layers) {
            Tensor hidden = model.hidden(model.embed(inputsBL), layers);
            return model.logits(hidden).to(ScalarType.Float);
        }

        /// In nats, over all tokens.
        double crossEntropy(int[] layers) {
            return sum((ids, rows) -> {
                Tensor all = model.compute().place(Tensors.ids(ids, rows, ids.length / rows));
                Tensor targets = all.narrow(1, 1, data.length()).reshape(-1);
                Tensor logits = logits(inputs(ids, rows), layers);
                return torch.cross_entropy_loss(logits, targets).item_double() * targets.numel();
            });
        }

        double logitError(int[] layers) {
            ModelConfig config = model.config();
            int[] all = IntStream.range(0, config.numHiddenLayers()).toArray();
            return sum((ids, rows) -> {
                Tensor inputs = inputs(ids, rows);
                Tensor teacher = logits(inputs, all);
                Tensor error = logits(inputs, layers).sub_(teacher).square().sum();
                return error.div(teacher.square().sum()).item_double();
            });
        }

        /// All layers but a block of `count`.
        int[] withoutBlock(int count) {
            int layers = model.config().numHiddenLayers();
            double[] angles = new double[layers - count + 1];
            for (int first = 0; first < angles.length; first++) {
                int start = first;
                angles[first] = sum((ids, rows) -> angle(inputs(ids, rows), start, count));
                progress.update("layers", first + 1, angles.length, "");
            }
            int best =
                    IntStream.range(0, angles.length)
                            .boxed()
                            .min(Comparator.comparingDouble(i -> angles[i]))
                            .orElse(0);
            return IntStream.range(0, layers).filter(i -> i < best || i >= best + count).toArray();
        }

        private double angle(Tensor inputsBL, int first, int count) {
            List<Tensor> ends = new ArrayList<>();
            Probe probe =
                    new Probe() {
                        @Override
                        public void layer(int layer, Tensor inputND, Tensor outputND) {
                            if (layer == first) {
                                ends.add(inputND.to(ScalarType.Float));
                            }
                            if (layer == first + count - 1) {
                                ends.add(outputND.to(ScalarType.Float));
                            }
                        }
                    };
            model.hidden(model.embed(inputsBL), probe);
            Tensor cosine = torch.cosine_similarity(ends.getFirst(), ends.getLast(), -1, 1e-8);
            Tensor bounded = cosine.clamp_max_(new Scalar(1.0)).clamp_min_(new Scalar(-1.0));
            return bounded.arccos().sum().item_double();
        }
    }
}
