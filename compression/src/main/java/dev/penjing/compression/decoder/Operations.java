package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// What a decoder is made of, as its configuration says: whatever that may say of norm and MLP is
/// switched over here.
record Operations(ModelConfig config, Compute compute) {
    /// Rows that are cheaper one by one than as a matrix, if the weights stay in the cache
    /// meanwhile: [#CACHED_WEIGHTS] elements at most.
    private static final int FEW_ROWS = 4;

    private static final int CACHED_WEIGHTS = 4 << 20;

    Tensor norm(Tensor xND, Tensor weightD) {
        return switch (config.norm()) {
            case Norm.Rms rms ->
                    torch.rms_norm(
                            xND,
                            new long[] {weightD.size(0)},
                            new TensorOptional(weightD),
                            new DoubleOptional(rms.epsilon()));
        };
    }

    /// What lies between the MLP's matrices, `[N, F]`.
    ///
    /// @param gateUpNF gate and up side by side, `[N, 2 * F]`
    Tensor activation(Tensor gateUpNF) {
        TensorVector gateUp = gateUpNF.split(gateUpNF.size(1) / 2, -1);
        return switch (config.mlp()) {
            case Mlp.GatedSilu silu -> torch.silu(gateUp.get(0)).mul(gateUp.get(1));
        };
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
