package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.LayerAttention;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Rope;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Causal grouped-query attention with rotary position embedding (RoPE), over whole sequences from
/// position 0.
///
/// On the CPU it is two matrix products around a softmax: libtorch's `scaled_dot_product_attention`
/// is many times slower there in bfloat16 (see docs/performance.md). On CUDA the fused kernel is
/// the fast one; without a sliding window it is told to be causal and takes no mask.
public final class CausalAttention implements ForwardContext, AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final Map<Rope, RotaryEmbedding> rotaries = new LinkedHashMap<>();
    private final Map<OptionalInt, Tensor> masks = new HashMap<>();

    public CausalAttention(ModelConfig config, Compute compute) {
        this.config = config;
        this.compute = compute;
        for (LayerAttention layer : config.attention()) {
            rotary(layer.rope());
        }
    }

    /// Layers whose positions are alike share one.
    private RotaryEmbedding rotary(Rope rope) {
        return rotaries.computeIfAbsent(rope, r -> new RotaryEmbedding(config, r, compute));
    }

    /// Of each layer: see [Decoder#rotations].
    List<RotaryEmbedding.Rotation> rotations(int[] positions, int rows) {
        Map<RotaryEmbedding, RotaryEmbedding.Rotation> made = new HashMap<>();
        return config.attention().stream()
                .map(layer ->
                        made.computeIfAbsent(rotary(layer.rope()), r -> r.at(positions, rows)))
                .toList();
    }

    @Override
    public Tensor attend(int layer, Tensor qkvN, long batch, long length) {
        long heads = config.numAttentionHeads();
        long groups = config.numKeyValueHeads();
        long e = config.headDim();
        LayerAttention kind = config.attention().get(layer);
        RotaryEmbedding.Rotation rotation = rotary(kind.rope()).upTo(length);
        Tensor allBHLE = qkvN.view(batch, length, heads + 2 * groups, e).transpose(1, 2);
        TensorVector parts = allBHLE.split(new long[] {heads, groups, groups}, 1);
        Tensor qBHLE = rotation.queries(parts.get(0).contiguous());
        Tensor kBLE = rotation.keys(parts.get(1).contiguous()).view(batch * groups, length, e);
        Tensor vBLE = parts.get(2).reshape(batch * groups, length, e);
        Tensor outBHLE;
        if (compute.onCpu()) {
            Tensor qBLE = qBHLE.view(batch * groups, heads / groups * length, e);
            Tensor scores = torch.bmm(qBLE, kBLE.transpose(1, 2));
            Tensor masked =
                    scores.view(batch * groups, heads / groups, length, length)
                            .add_(mask(length, kind.window()));
            Tensor weights = masked.softmax(-1).view(batch * groups, -1, length);
            outBHLE = torch.bmm(weights, vBLE).view(batch, heads, length, e);
        } else {
            boolean causal = kind.window().isEmpty();
            outBHLE =
                    torch.scaled_dot_product_attention(
                            qBHLE,
                            kBLE.view(batch, groups, length, e),
                            vBLE.view(batch, groups, length, e),
                            causal
                                    ? new TensorOptional()
                                    : new TensorOptional(mask(length, kind.window())),
                            0.0,
                            causal,
                            new DoubleOptional(1.0),
                            true);
        }
        return outBHLE.transpose(1, 2).reshape(batch * length, heads * e);
    }

    /// `[length, length]`, a part of one that is kept for the longest sequence so far. An earlier
    /// part stays valid when a larger mask takes its place: libtorch counts who holds the memory.
    private Tensor mask(long length, OptionalInt window) {
        Optional<Tensor> before = Optional.ofNullable(masks.get(window));
        Tensor mask =
                before.filter(m -> m.size(0) >= length)
                        .orElseGet(() -> {
                            before.ifPresent(Tensors::release);
                            masks.remove(window);
                            try (PointerScope scope = new PointerScope()) {
                                TensorOptions options = compute.options(compute.type());
                                Tensor made = mask(options, sizeFor(length), window);
                                masks.put(window, Tensors.keep(made));
                                return made;
                            }
                        });
        return mask.narrow(0, 0, length).narrow(1, 0, length);
    }

    /// The power of two from `length` on, and 64 at least.
    static long sizeFor(long length) {
        return Math.max(64, Long.highestOneBit(length * 2 - 1));
    }

    /// What is added to the scores: 0 where a position (row) sees another (column), minus infinity
    /// where it comes later or has left the window.
    ///
    /// @return `[size, size]`, of the options' type and device
    static Tensor mask(TensorOptions options, long size, OptionalInt window) {
        Tensor hidden =
                torch.full(new long[] {size, size}, new Scalar(Float.NEGATIVE_INFINITY), options);
        Tensor later = hidden.triu(1);
        return window.isPresent() ? later.add_(hidden.tril_(-window.getAsInt())) : later;
    }

    @Override
    public void close() {
        masks.values().forEach(Tensors::release);
        masks.clear();
        rotaries.values().forEach(RotaryEmbedding::close);
        rotaries.clear();
    }
}
