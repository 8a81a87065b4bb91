package dev.penjing.compression.generation;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.decoder.ForwardContext;
import dev.penjing.compression.decoder.RotaryEmbedding;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Attention of rows that see keys and values of earlier passes: all of the shared prefix, then the
/// row's own cache, then the row's new tokens, as far as the mask lets them. Without gradient.
///
/// The prefix's keys and values are not repeated for each row: all rows' queries are one matrix
/// that is multiplied with them. Scores of prefix and own positions are written side by side, so
/// that one softmax goes over both.
///
/// @param rotations to the tokens' positions, by layer
/// @param prefix what all rows share at the beginning, a cache of one row
/// @param append whether the one row of this pass becomes the prefix's end
/// @param own what each row has behind the prefix; the pass writes its one token there
/// @param masksBLC by window, what is added to the scores of the last C of all positions: 0 or
///   minus infinity; none where nothing is hidden
record CachedAttention(
        Decoder decoder,
        List<RotaryEmbedding.Rotation> rotations,
        KeyValueCache prefix,
        boolean append,
        Optional<KeyValueCache> own,
        Map<OptionalInt, Tensor> masksBLC)
        implements ForwardContext {
    @Override
    public Tensor attend(int layer, Tensor qkvN, long batch, long length) {
        ModelConfig config = decoder.config();
        RotaryEmbedding.Rotation rotation = rotations.get(layer);
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
        Tensor qKNE = rotation.queries(qKBGLE).view(groups, batch * each * length, e);
        Tensor k = rotation.keys(kBLKE.permute(2, 0, 1, 3).contiguous());
        Tensor v = allBLHE.narrow(2, heads + groups, groups).permute(2, 0, 1, 3).contiguous();
        long before = prefix.length();
        if (append) {
            prefix.write(layer, k, v);
        }
        if (own.isPresent()) {
            KeyValueCache cache = own.get();
            cache.write(layer, k, v);
            k = cache.keys(layer, cache.length() + length);
            v = cache.values(layer, cache.length() + length);
        }
        long after = k.size(2);
        long total = before + after;
        // a reshape of the own cache is a view: it has no more rows than the pass
        Tensor kRTE = k.view(groups * batch, after, e);
        Tensor vRTE = v.view(groups * batch, after, e);

        Tensor scores =
                Tensors.empty(
                        decoder.compute().options(decoder.compute().type()),
                        groups,
                        batch * each * length,
                        total);
        Tensor scoresRMT = scores.view(groups * batch, each * length, total);
        torch.bmm_out(
                scoresRMT.narrow(2, before, after),
                qKNE.view(groups * batch, each * length, e),
                kRTE.transpose(1, 2));
        if (before > 0) {
            Tensor prefixKPE = prefix.keys(layer, before).select(1, 0);
            torch.bmm_out(scores.narrow(2, 0, before), qKNE, prefixKPE.transpose(1, 2));
        }
        OptionalInt window = config.attention().get(layer).window();
        Optional.ofNullable(masksBLC.get(window))
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
            Tensor prefixKPE = prefix.values(layer, before).select(1, 0);
            out.view(groups, batch * each * length, e)
                    .baddbmm_(weights.narrow(2, 0, before), prefixKPE);
        }
        return out.view(groups, batch, each, length, e)
                .permute(1, 3, 0, 2, 4)
                .reshape(batch * length, heads * e);
    }
}
