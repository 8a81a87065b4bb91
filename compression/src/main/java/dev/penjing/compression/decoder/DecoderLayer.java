package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;

/// One layer of a decoder, whole ([#forward]) or in its steps: [#attentionNorm], [#heads],
/// [#output], [#mlpNorm], [#neurons], [#down]. The weights are views into parameters that somebody
/// else owns.
public final class DecoderLayer {
    private final int index;
    private final Operations operations;
    private final Tensor attentionNorm;
    private final Tensor qkv;
    private final TensorOptional qkvBias;
    private final Tensor o;
    private final TensorOptional oBias;
    private final Tensor mlpNorm;
    private final Tensor gateUp;
    private final Tensor down;

    private DecoderLayer(int index, Leaves leaves, Operations operations) {
        this.index = index;
        this.operations = operations;
        this.attentionNorm = leaves.of(index, Role.ATTENTION_NORM);
        this.qkv = leaves.of(index, Role.QUERY, Role.KEY, Role.VALUE);
        this.qkvBias = leaves.ifAny(index, Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS);
        this.o = leaves.of(index, Role.OUTPUT);
        this.oBias = leaves.ifAny(index, Role.OUTPUT_BIAS);
        this.mlpNorm = leaves.of(index, Role.MLP_NORM);
        this.gateUp = leaves.of(index, Role.GATE, Role.UP);
        this.down = leaves.of(index, Role.DOWN);
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
        return operations.norm(xND, attentionNorm);
    }

    /// The heads' outputs side by side, `[N, H * E]`: what the output projection reads.
    public Tensor heads(Tensor normedND, long batch, long length, ForwardContext context) {
        Tensor qkvN = operations.linear(normedND, qkv, qkvBias);
        return context.attend(index, qkvN, batch, length);
    }

    /// What attention adds to the residual stream, `[N, D]`.
    public Tensor output(Tensor headsNHE) {
        return operations.linear(headsNHE, o, oBias);
    }

    /// What the MLP reads of the residual stream, `[N, D]`.
    public Tensor mlpNorm(Tensor middleND) {
        return operations.norm(middleND, mlpNorm);
    }

    /// What the down projection reads, `[N, F]`.
    public Tensor neurons(Tensor normedND) {
        return operations.activation(operations.linear(normedND, gateUp));
    }

    /// What the MLP adds to the residual stream, `[N, D]`.
    public Tensor down(Tensor neuronsNF) {
        return operations.linear(neuronsNF, down);
    }
}
