package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Causal attention with grouped queries and rotary positions.
///
/// On the CPU it is two matrix products around a softmax: libtorch's `scaled_dot_product_attention`
/// is many times slower there in bfloat16 (see docs/performance.md). On CUDA the fused kernel is
/// the fast one. With a cache it is products everywhere.
final class Attention implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final Rotary rotary;
    private Optional<Mask> mask = Optional.empty();

    Attention(ModelConfig config, Compute compute) {
        this.config = config;
        this.compute = compute;
        this.rotary = new Rotary(config, compute);
    }

    Rotary rotary() {
        return rotary;
    }

    /// Whole sequences from position 0.
    ///
    /// @param qkvN rows q, k and v of every position, `[N, (H + 2K) * E]`
    /// @return the heads' outputs, `[N, H * E]`
    Tensor forward(Tensor qkvN, long batch, long length) {
        long heads = config.numAttentionHeads();
        long groups = config.numKeyValueHeads();
        long e = config.headDim();
        Rotary.Turns turns = rotary.upTo(length);
        Tensor allBHLE = qkvN.view(batch, length, heads + 2 * groups, e).transpose(1, 2);
        TensorVector parts = allBHLE.split(new long[] {heads, groups, groups}, 1);
        Tensor qBHLE = turns.queries(parts.get(0).contiguous());
        Tensor kBLE = turns.keys(parts.get(1).contiguous()).view(batch * groups, length, e);
        Tensor vBLE = parts.get(2).reshape(batch * groups, length, e);
        Tensor maskLL = mask(length).narrow(0, 0, length).narrow(1, 0, length);
        Tensor outBHLE;
        if (compute.onCpu()) {
            Tensor qBLE = qBHLE.view(batch * groups, heads / groups * length, e);
            Tensor scores = torch.bmm(qBLE, kBLE.transpose(1, 2));
            Tensor masked =
                    scores.view(batch * groups, heads / groups, length, length).add_(maskLL);
            Tensor weights = masked.softmax(-1).view(batch * groups, -1, length);
            outBHLE = torch.bmm(weights, vBLE).view(batch, heads, length, e);
        } else {
            outBHLE =
                    torch.scaled_dot_product_attention(
                            qBHLE,
                            kBLE.view(batch, groups, length, e),
                            vBLE.view(batch, groups, length, e),
                            new TensorOptional(maskLL),
                            0.0,
                            false,
                            new DoubleOptional(1.0),
                            true);
        }
        return outBHLE.transpose(1, 2).reshape(batch * length, heads * e);
    }

    /// Rows that see more than themselves. Without gradient.
    ///
    /// The trunk's keys and values are not repeated for each row: all rows' queries are one matrix
    /// that is multiplied with them. Scores of trunk and own positions are written side by side, so
    /// that one softmax goes over both.
    Tensor forward(Tensor qkvN, long batch, long length, int layer, Pass pass) {
        long heads = config.numAttentionHeads();
        long groups = config.numKeyValueHeads();
        long each = heads / groups;
        long e = config.headDim();
        Tensor allBLHE = qkvN.view(batch, length, heads + 2 * groups, e);
        Tensor qKBGLE =
                allBLHE.narrow(2, 0, heads)
                        .view(batch, length, groups, each, e)
                        .permute(2, 0, 3, 1, 4)
                        .contiguous();
        Tensor kBLKE = allBLHE.narrow(2, heads, groups);
        Tensor qKNE = pass.turns().queries(qKBGLE).view(groups, batch * each * length, e);
        Tensor k = pass.turns().keys(kBLKE.permute(2, 0, 1, 3).contiguous());
        Tensor v = allBLHE.narrow(2, heads + groups, groups).permute(2, 0, 1, 3).contiguous();
        long before = pass.trunk().length();
        if (pass.append()) {
            pass.trunk().write(layer, k, v);
        }
        if (pass.own().isPresent()) {
            KeyValueCache own = pass.own().get();
            own.write(layer, k, v);
            k = own.keys(layer, own.length() + length);
            v = own.values(layer, own.length() + length);
        }
        long after = k.size(2);
        long total = before + after;
        // a reshape of the own cache is a view: it has no more rows than the pass
        Tensor kRTE = k.view(groups * batch, after, e);
        Tensor vRTE = v.view(groups * batch, after, e);

        Tensor scores =
                Tensors.empty(
                        compute.options(compute.type()), groups, batch * each * length, total);
        Tensor scoresRMT = scores.view(groups * batch, each * length, total);
        torch.bmm_out(
                scoresRMT.narrow(2, before, after),
                qKNE.view(groups * batch, each * length, e),
                kRTE.transpose(1, 2));
        if (before > 0) {
            Tensor trunkKPE = pass.trunk().keys(layer, before).select(1, 0);
            torch.bmm_out(scores.narrow(2, 0, before), qKNE, trunkKPE.transpose(1, 2));
        }
        pass.maskBLC()
                .ifPresent(m ->
                        scores.view(groups, batch, each, length, total)
                                .narrow(4, total - m.size(2), m.size(2))
                                .add_(m.unsqueeze(1)));
        Tensor weights = scores.softmax(-1);
        Tensor out =
                torch.bmm(
                        weights.view(groups * batch, each * length, total).narrow(2, before, after),
                        vRTE);
        if (before > 0) {
            Tensor trunkKPE = pass.trunk().values(layer, before).select(1, 0);
            out.view(groups, batch * each * length, e)
                    .baddbmm_(weights.narrow(2, 0, before), trunkKPE);
        }
        return out.view(groups, batch, each, length, e)
                .permute(1, 3, 0, 2, 4)
                .reshape(batch * length, heads * e);
    }

    /// 0 where a position sees another, minus infinity where not, at least `[length, length]`.
    private Tensor mask(long length) {
        if (mask.isPresent() && mask.get().length() >= length) {
            return mask.get().maskLL();
        }
        mask.ifPresent(m -> Tensors.release(m.maskLL()));
        mask = Optional.empty();
        int size = Math.toIntExact(Math.max(64, Long.highestOneBit(length * 2 - 1)));
        int window = config.slidingWindow().orElse(Integer.MAX_VALUE);
        float[] values = new float[size * size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                boolean seen = j <= i && i - j < window;
                values[i * size + j] = seen ? 0 : Float.NEGATIVE_INFINITY;
            }
        }
        try (PointerScope scope = new PointerScope()) {
            Tensor made = Tensors.keep(Rotary.tensor(compute, values, size, size));
            mask = Optional.of(new Mask(size, made));
            return made;
        }
    }

    @Override
    public void close() {
        mask.ifPresent(m -> Tensors.release(m.maskLL()));
        rotary.close();
    }

    private record Mask(long length, Tensor maskLL) {}
}
