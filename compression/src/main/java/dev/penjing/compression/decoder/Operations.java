package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// What a decoder is made of, as its configuration says: whatever that may say of norm and MLP is
/// switched over here.
record Operations(ModelConfig config, Compute compute) {
    /// Rows that are cheaper one by one than as a matrix, if the weights stay in the cache
    /// meanwhile: [#CACHED_WEIGHTS] elements at most.
    private static final int FEW_ROWS = 4;

    private static final int CACHED_WEIGHTS = 4 << 20;

    /// A norm's weight as it is stored, and its bias where it has one.
    record Gain(Tensor weight, TensorOptional bias) {}

    /// Of rows as long as the norm's weight.
    Tensor norm(Tensor x, Gain gain) {
        float plus = config.norm().plus();
        // a stored weight is near 0 where 1 is added: in bfloat16 the sum would lose most of it
        boolean wide = plus != 0 && compute.reduced();
        Tensor in = wide ? x.to(ScalarType.Float) : x;
        Tensor stored = wide ? gain.weight().to(ScalarType.Float) : gain.weight();
        Tensor weight = plus == 0 ? stored : stored.add(new Scalar(plus));
        long[] shape = {weight.size(0)};
        Tensor out =
                switch (config.norm()) {
                    case Norm.Rms rms ->
                            torch.rms_norm(
                                    in,
                                    shape,
                                    new TensorOptional(weight),
                                    new DoubleOptional(rms.epsilon()));
                    case Norm.Layer layer ->
                            torch.layer_norm(
                                    in,
                                    shape,
                                    new TensorOptional(weight),
                                    wide && gain.bias().has_value()
                                            ? new TensorOptional(
                                                    gain.bias().get().to(ScalarType.Float))
                                            : gain.bias(),
                                    layer.epsilon(),
                                    true);
                };
        return wide ? out.to(compute.type()) : out;
    }

    /// What lies between the MLP's matrices, `[N, F]`.
    ///
    /// @param upNF gate, where there is one, and up side by side, `[N, 2 * F]`
    Tensor activation(Tensor upNF) {
        return switch (config.mlp()) {
            case Mlp.GatedSilu silu -> {
                TensorVector gateUp = halves(upNF);
                yield torch.silu(gateUp.get(0)).mul(gateUp.get(1));
            }
            case Mlp.GatedGelu gelu -> {
                TensorVector gateUp = halves(upNF);
                yield torch.gelu(gateUp.get(0), "tanh").mul(gateUp.get(1));
            }
            case Mlp.SquaredRelu relu -> upNF.relu().square();
        };
    }

    private static TensorVector halves(Tensor gateUpNF) {
        return gateUpNF.split(gateUpNF.size(1) / 2, -1);
    }

    /// `x` times a constant.
    static Tensor times(double factor, Tensor x) {
        return factor == 1 ? x : x.mul(new Scalar(factor));
    }

    /// `x w^T`. For few rows of float32 on the CPU the library's matrix product spends most of its
    /// time on rearranging the weights: products of matrix and vector do not.
    Tensor linear(Tensor xNI, Tensor wOI) {
        return few(xNI, wOI) ? oneByOne(xNI, wOI) : torch.matmul(xNI, wOI.t());
    }

    /// `x w^T + bias`, where there is one.
    Tensor linear(Tensor xNI, Tensor wOI, TensorOptional bias) {
        if (!bias.has_value()) {
            return linear(xNI, wOI);
        }
        return few(xNI, wOI) ? oneByOne(xNI, wOI).add(bias.get()) : torch.linear(xNI, wOI, bias);
    }

    private boolean few(Tensor xNI, Tensor wOI) {
        long few = wOI.numel() <= CACHED_WEIGHTS ? FEW_ROWS : 1;
        return compute.onCpu() && !compute.reduced() && xNI.size(0) <= few;
    }

    private static Tensor oneByOne(Tensor xNI, Tensor wOI) {
        TensorVector products = new TensorVector();
        for (int row = 0; row < xNI.size(0); row++) {
            products.push_back(torch.mv(wOI, xNI.select(0, row)));
        }
        return torch.stack(products);
    }
}
