package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.ModelConfig;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Causal attention with grouped queries and rotary positions.
///
/// On the CPU it is two matrix products around a softmax: libtorch's `scaled_dot_product_attention`
/// is many times slower there in bfloat16 (see docs/performance.md). On CUDA the fused kernel is
/// the fast one.
final class Attention implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final double[] frequencies;
    private final Tensor rotateEE;
    private Optional<Tables> tables = Optional.empty();

    Attention(ModelConfig config, Compute compute) {
        this.config = config;
        this.compute = compute;
        this.frequencies = config.rope().frequencies(config.headDim());
        try (PointerScope scope = new PointerScope()) {
            rotateEE = Tensors.keep(rotateHalf(config.headDim()));
        }
    }

    /// @param qkvN rows q, k and v of every position, `[N, (H + 2K) * E]`
    /// @return the heads' outputs, `[N, H * E]`
    Tensor forward(Tensor qkvN, long batch, long length, int layer, Optional<KeyValueCache> cache) {
        long heads = config.numAttentionHeads();
        long groups = config.numKeyValueHeads();
        long e = config.headDim();
        // the first layer has already seen the new positions when a later one asks
        long before = cache.map(c -> layer == 0 ? c.length() : c.length() - length).orElse(0L);
        Tables t = tables(before + length);
        Tensor allBHLE = qkvN.view(batch, length, heads + 2 * groups, e).transpose(1, 2);
        TensorVector parts = allBHLE.split(new long[] {heads, groups, groups}, 1);
        Tensor qBHLE = t.queries().rotate(parts.get(0).contiguous(), rotateEE, before, length);
        Tensor kBLE =
                t.keys()
                        .rotate(parts.get(1).contiguous(), rotateEE, before, length)
                        .view(batch * groups, length, e);
        Tensor vBLE = parts.get(2).reshape(batch * groups, length, e);
        if (cache.isPresent()) {
            kBLE = cache.get().keys(layer, kBLE);
            vBLE = cache.get().values(layer, vBLE);
        }
        Tensor outBHLE;
        if (compute.onCpu()) {
            Tensor qBLE = qBHLE.view(batch * groups, heads / groups * length, e);
            Tensor scores = torch.bmm(qBLE, kBLE.transpose(1, 2));
            long total = before + length;
            Tensor masked =
                    scores.view(batch * groups, heads / groups, length, total)
                            .add_(t.maskLL().narrow(0, before, length).narrow(1, 0, total));
            Tensor weights = masked.softmax(-1).view(batch * groups, -1, total);
            outBHLE = torch.bmm(weights, vBLE).view(batch, heads, length, e);
        } else {
            long total = before + length;
            Tensor mask = t.maskLL().narrow(0, before, length).narrow(1, 0, total);
            outBHLE =
                    torch.scaled_dot_product_attention(
                            qBHLE,
                            kBLE.view(batch, groups, total, e),
                            vBLE.view(batch, groups, total, e),
                            new TensorOptional(mask),
                            0.0,
                            false,
                            new DoubleOptional(1.0),
                            true);
        }
        return outBHLE.transpose(1, 2).reshape(batch * length, heads * e);
    }

    /// The matrix R for which `x R` is `(-x2, x1)` of the halves `(x1, x2)` of x.
    private Tensor rotateHalf(int e) {
        float[] matrix = new float[e * e];
        int half = e / 2;
        for (int i = 0; i < half; i++) {
            matrix[(half + i) * e + i] = -1;
            matrix[i * e + half + i] = 1;
        }
        return tensor(matrix, e, e);
    }

    /// Cosines, sines and the causal mask for at least `length` positions.
    private Tables tables(long length) {
        if (tables.isPresent() && tables.get().length() >= length) {
            return tables.get();
        }
        tables.ifPresent(Tables::close);
        int size = Math.toIntExact(Math.max(64, Long.highestOneBit(length * 2 - 1)));
        try (PointerScope scope = new PointerScope()) {
            double queryScale = 1 / Math.sqrt(config.headDim());
            Tables made = new Tables(size, turns(size, queryScale), turns(size, 1), mask(size));
            tables = Optional.of(made);
            return made;
        }
    }

    private Tensor tensor(float[] values, long... shape) {
        Tensor cpu = Tensors.empty(new TensorOptions(ScalarType.Float), shape);
        try (FloatPointer data = cpu.data_ptr_float()) {
            data.put(values, 0, values.length);
        }
        return cpu.to(
                compute.options(compute.type()),
                false,
                true,
                new org.bytedeco.pytorch.MemoryFormatOptional());
    }

    @Override
    public void close() {
        tables.ifPresent(Tables::close);
        Tensors.release(rotateEE);
    }

    /// Cosines and sines by position, `[length, E]`, already multiplied by a scale.
    private record Turns(Tensor cosLE, Tensor sinLE) {
        /// x * cos + rotateHalf(x) * sin
        Tensor rotate(Tensor xBHLE, Tensor rotateEE, long before, long length) {
            Tensor cos = cosLE.narrow(0, before, length);
            Tensor sin = sinLE.narrow(0, before, length);
            return torch.addcmul(xBHLE.mul(cos), torch.matmul(xBHLE, rotateEE), sin);
        }

        void close() {
            Tensors.release(cosLE);
            Tensors.release(sinLE);
        }
    }

    private Turns turns(int length, double scale) {
        int e = config.headDim();
        float[] cos = new float[length * e];
        float[] sin = new float[length * e];
        for (int l = 0; l < length; l++) {
            for (int i = 0; i < e; i++) {
                double angle = l * frequencies[i % (e / 2)];
                cos[l * e + i] = (float) (Math.cos(angle) * scale);
                sin[l * e + i] = (float) (Math.sin(angle) * scale);
            }
        }
        return new Turns(
                Tensors.keep(tensor(cos, length, e)), Tensors.keep(tensor(sin, length, e)));
    }

    /// 0 where a position sees another, -infinity where not, `[length, length]`.
    private Tensor mask(int length) {
        int window = config.slidingWindow().orElse(Integer.MAX_VALUE);
        float[] mask = new float[length * length];
        for (int i = 0; i < length; i++) {
            for (int j = 0; j < length; j++) {
                boolean seen = j <= i && i - j < window;
                mask[i * length + j] = seen ? 0 : Float.NEGATIVE_INFINITY;
            }
        }
        return Tensors.keep(tensor(mask, length, length));
    }

    /// @param queries turns scaled by 1 / sqrt(E)
    private record Tables(long length, Turns queries, Turns keys, Tensor maskLL) {
        void close() {
            queries.close();
            keys.close();
            Tensors.release(maskLL);
        }
    }
}
