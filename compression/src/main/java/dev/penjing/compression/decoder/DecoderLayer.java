package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// One layer of a decoder, whole ([#forward]) or in its steps: [#attentionNorm], [#heads],
/// [#output], [#mlpNorm], [#neurons], [#down]. The weights are views into parameters that somebody
/// else owns.
public final class DecoderLayer {
    private final int index;
    private final Operations operations;
    private final Optional<Operations.Gain> attentionNorm;
    private final Tensor qkv;
    private final TensorOptional qkvBias;
    private final Optional<Operations.Gain> queryNorm;
    private final Optional<Operations.Gain> keyNorm;
    private final Tensor o;
    private final TensorOptional oBias;
    private final Optional<Operations.Gain> afterAttention;
    private final Optional<Operations.Gain> mlpNorm;
    private final Tensor gateUp;
    private final Tensor down;
    private final Optional<Operations.Gain> afterMlp;

    private DecoderLayer(int index, Leaves leaves, Operations operations) {
        this.index = index;
        this.operations = operations;
        this.attentionNorm = leaves.norm(index, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS);
        this.qkv = leaves.of(index, Role.QUERY, Role.KEY, Role.VALUE);
        this.qkvBias = leaves.ifAny(index, Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS);
        this.queryNorm = leaves.norm(index, Role.QUERY_NORM);
        this.keyNorm = leaves.norm(index, Role.KEY_NORM);
        this.o = leaves.of(index, Role.OUTPUT);
        this.oBias = leaves.ifAny(index, Role.OUTPUT_BIAS);
        this.afterAttention = leaves.norm(index, Role.AFTER_ATTENTION_NORM);
        this.mlpNorm = leaves.norm(index, Role.MLP_NORM, Role.MLP_NORM_BIAS);
        this.gateUp =
                operations.config().mlp().gated()
                        ? leaves.of(index, Role.GATE, Role.UP)
                        : leaves.of(index, Role.UP);
        this.down = leaves.of(index, Role.DOWN);
        this.afterMlp = leaves.norm(index, Role.AFTER_MLP_NORM);
    }

    static DecoderLayer of(int index, Leaves leaves, Operations operations) {
        return new DecoderLayer(index, leaves, operations);
    }

    /// A layer that stands alone.
    ///
    /// @param parameters its own, at least ([FlatParameters#ofLayer])
    public static DecoderLayer of(
            ModelConfig config, int index, FlatParameters parameters, Compute compute) {
        return new DecoderLayer(
                index, new Leaves(parameters, Optional.empty()), new Operations(config, compute));
    }

    /// The layer's output, `[N, D]`.
    public Tensor forward(
            Tensor xND, long batch, long length, Probe probe, ForwardContext context) {
        Tensor normedND = attentionNorm(xND);
        probe.norm(index, false, normedND);
        Tensor headsNHE = heads(normedND, batch, length, context);
        probe.heads(index, headsNHE);
        Tensor middleND = xND.add(output(headsNHE));
        Tensor normed2ND = mlpNorm(middleND);
        probe.norm(index, true, normed2ND);
        Tensor neuronsNF = neurons(normed2ND);
        probe.neurons(index, neuronsNF);
        return middleND.add(down(neuronsNF));
    }

    /// What attention reads of the residual stream, `[N, D]`.
    public Tensor attentionNorm(Tensor xND) {
        return normed(xND, attentionNorm);
    }

    /// The heads' outputs side by side, `[N, H * E]`: what the output projection reads.
    public Tensor heads(Tensor normedND, long batch, long length, ForwardContext context) {
        Tensor qkvN = operations.linear(normedND, qkv, qkvBias);
        return context.attend(index, headNorms(qkvN), batch, length);
    }

    /// Queries and keys normalised, where the family does that: head by head or all heads as one,
    /// as long as the norm's weight is.
    private Tensor headNorms(Tensor qkvN) {
        if (queryNorm.isEmpty() || keyNorm.isEmpty()) {
            return qkvN;
        }
        ModelConfig config = operations.config();
        long queries = (long) config.numAttentionHeads() * config.headDim();
        long keys = (long) config.numKeyValueHeads() * config.headDim();
        TensorVector parts = qkvN.split(new long[] {queries, keys, keys}, 1);
        return torch.cat(
                new TensorVector(
                        parts(parts.get(0), queryNorm.get()),
                        parts(parts.get(1), keyNorm.get()),
                        parts.get(2)),
                1);
    }

    private Tensor parts(Tensor xN, Operations.Gain gain) {
        Tensor rows = xN.reshape(-1, gain.weight().size(0));
        return operations.norm(rows, gain).view(xN.size(0), xN.size(1));
    }

    /// What attention adds to the residual stream, `[N, D]`.
    public Tensor output(Tensor headsNHE) {
        return residual(operations.linear(headsNHE, o, oBias), afterAttention);
    }

    /// What the MLP reads of the residual stream, `[N, D]`.
    public Tensor mlpNorm(Tensor middleND) {
        return normed(middleND, mlpNorm);
    }

    /// What the down projection reads, `[N, F]`.
    public Tensor neurons(Tensor normedND) {
        return operations.activation(operations.linear(normedND, gateUp));
    }

    /// What the MLP adds to the residual stream, `[N, D]`.
    public Tensor down(Tensor neuronsNF) {
        return residual(operations.linear(neuronsNF, down), afterMlp);
    }

    private Tensor residual(Tensor outND, Optional<Operations.Gain> after) {
        return Operations.times(operations.config().multipliers().residual(), normed(outND, after));
    }

    private Tensor normed(Tensor x, Optional<Operations.Gain> gain) {
        return gain.map(g -> operations.norm(x, g)).orElse(x);
    }
}
