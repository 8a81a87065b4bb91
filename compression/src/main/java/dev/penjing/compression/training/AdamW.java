package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// AdamW (Loshchilov & Hutter 2019, algorithm 2) on flat float32 parameters, in the order of
/// operations of PyTorch's. Weight decay spares vectors: norms and biases.
///
/// Works through the parameters in pieces that stay in the cache, since every operation is one pass
/// over memory.
public final class AdamW implements AutoCloseable {
    static final double BETA1 = 0.9;
    static final double BETA2 = 0.95;
    static final double EPSILON = 1e-8;
    private static final long PIECE = 1 << 17;

    private final FlatParameters parameters;
    private final Shard shard;
    private final double weightDecay;
    private final Tensor mean;
    private final Tensor square;

    public AdamW(FlatParameters parameters, double weightDecay, Compute compute) {
        this(parameters, Shard.of(parameters.layout().size(), 0, 1), weightDecay, compute);
    }

    /// @param shard what is updated of the parameters, and has moments
    AdamW(FlatParameters parameters, Shard shard, double weightDecay, Compute compute) {
        this.parameters = parameters;
        this.shard = shard;
        this.weightDecay = weightDecay;
        long size = shard.size();
        try (PointerScope scope = new PointerScope()) {
            Tensor first = Tensors.zeros(compute.options(ScalarType.Float), size);
            Tensor second = Tensors.zeros(compute.options(ScalarType.Float), size);
            // both are there: from here on nothing is refused
            mean = Tensors.keep(first);
            square = Tensors.keep(second);
        }
    }

    Shard shard() {
        return shard;
    }

    /// Running mean of the shard's gradient, `[shard.size]`.
    Tensor mean() {
        return mean;
    }

    /// Running mean of its square, `[shard.size]`.
    Tensor square() {
        return square;
    }

    /// One update of the shard by `gradient * scale`.
    ///
    /// @param gradient of all parameters, of which the shard is looked at
    /// @param step counted from 1
    public void step(Tensor gradient, double scale, double learningRate, long step) {
        long matrices = parameters.layout().matrices();
        long split = Math.clamp(matrices, shard.from(), shard.to());
        update(shard.from(), split, gradient, scale, learningRate, weightDecay, step);
        update(split, shard.to(), gradient, scale, learningRate, 0, step);
    }

    private void update(
            long from,
            long to,
            Tensor gradient,
            double scale,
            double learningRate,
            double decay,
            long step) {
        double correction1 = 1 - Math.pow(BETA1, step);
        double correction2 = Math.sqrt(1 - Math.pow(BETA2, step));
        boolean whole = gradient.is_cuda();
        for (long at = from; at < to; ) {
            long count = whole ? to - at : Math.min(PIECE, to - at);
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = new AutoGradMode(false)) {
                Tensor p = parameters.flat().narrow(0, at, count);
                Tensor g = gradient.narrow(0, at, count);
                Tensor m = mean.narrow(0, at - shard.from(), count);
                Tensor v = square.narrow(0, at - shard.from(), count);
                if (scale != 1) {
                    g.mul_(new Scalar(scale));
                }
                if (decay != 0) {
                    p.mul_(new Scalar(1 - learningRate * decay));
                }
                m.lerp_(g, new Scalar(1 - BETA1));
                v.mul_(new Scalar(BETA2)).addcmul_(g, g, new Scalar(1 - BETA2));
                Tensor denominator =
                        v.sqrt().div_(new Scalar(correction2)).add_(new Scalar(EPSILON));
                p.addcdiv_(m, denominator, new Scalar(-learningRate / correction1));
            }
            at += count;
        }
    }

    @Override
    public void close() {
        Tensors.release(mean);
        Tensors.release(square);
    }
}
