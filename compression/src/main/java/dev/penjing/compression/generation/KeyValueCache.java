package dev.penjing.compression.generation;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// Keys and values of positions that rows have passed, `[K, rows, capacity, E]` for each layer,
/// with room for more: adding a token copies no other. What was never written is zero, so that a
/// masked place can do no harm. Owns native memory until closed.
final class KeyValueCache implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private int rows;
    private long capacity;
    private long length;

    KeyValueCache(ModelConfig config, Compute compute, int rows, long capacity) {
        this.config = config;
        this.compute = compute;
        this.rows = rows;
        this.capacity = capacity;
        try (PointerScope scope = new PointerScope()) {
            for (int i = 0; i < config.numHiddenLayers(); i++) {
                keys.add(Tensors.keep(room(rows, capacity)));
                values.add(Tensors.keep(room(rows, capacity)));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /// Bytes that a position of a row takes.
    static long bytesPerPosition(ModelConfig config, Compute compute) {
        long elements = 2L * config.numHiddenLayers() * config.numKeyValueHeads();
        return elements * config.headDim() * (compute.reduced() ? 2 : 4);
    }

    private Tensor room(int rows, long capacity) {
        return Tensors.zeros(
                compute.options(compute.type()),
                config.numKeyValueHeads(),
                rows,
                capacity,
                config.headDim());
    }

    int rows() {
        return rows;
    }

    /// Positions in use.
    long length() {
        return length;
    }

    /// Forgets what stands behind `length`, or counts what was written as in use.
    void length(long length) {
        this.length = length;
    }

    /// Makes room for `positions` in all, and for more to come.
    void reserve(long positions) {
        if (positions > capacity) {
            int[] all = new int[rows];
            for (int i = 0; i < rows; i++) {
                all[i] = i;
            }
            arrange(all, 0, 0, Math.max(positions + 64, capacity + capacity / 2));
        }
    }

    /// Keeps only the rows `kept`, in that order, and of them the positions in use from `from` on,
    /// which now begin at `to`.
    void arrange(int[] kept, long from, long to, long newCapacity) {
        long count = length - from;
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor index = compute.place(Tensors.ids(kept, 1, kept.length)).view(-1);
            for (List<Tensor> held : List.of(keys, values)) {
                for (int i = 0; i < held.size(); i++) {
                    // a scope of its own: never two copies of more than one layer
                    try (PointerScope layer = new PointerScope()) {
                        Tensor before = held.get(i);
                        Tensor after = room(kept.length, newCapacity);
                        if (count > 0) {
                            after.narrow(2, to, count)
                                    .copy_(before.narrow(2, from, count).index_select(1, index));
                        }
                        held.set(i, Tensors.keep(after));
                        Tensors.release(before);
                    }
                }
            }
        }
        rows = kept.length;
        capacity = newCapacity;
        length = to + count;
    }

    /// Copies `count` positions of the only row of `source`, from `from` on, into row `row` from
    /// `to` on.
    void copy(int row, long to, KeyValueCache source, long from, long count) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            for (int i = 0; i < keys.size(); i++) {
                keys.get(i)
                        .select(1, row)
                        .narrow(1, to, count)
                        .copy_(source.keys.get(i).select(1, 0).narrow(1, from, count));
                values.get(i)
                        .select(1, row)
                        .narrow(1, to, count)
                        .copy_(source.values.get(i).select(1, 0).narrow(1, from, count));
            }
        }
    }

    /// Writes behind the positions in use, for which there must be room.
    void write(int layer, Tensor keysKBLE, Tensor valuesKBLE) {
        long count = keysKBLE.size(2);
        keys.get(layer).narrow(2, length, count).copy_(keysKBLE);
        values.get(layer).narrow(2, length, count).copy_(valuesKBLE);
    }

    /// The keys of the first positions, `[K, rows, positions, E]`.
    Tensor keys(int layer, long positions) {
        return keys.get(layer).narrow(2, 0, positions);
    }

    Tensor values(int layer, long positions) {
        return values.get(layer).narrow(2, 0, positions);
    }

    @Override
    public void close() {
        keys.forEach(Tensors::release);
        values.forEach(Tensors::release);
        keys.clear();
        values.clear();
    }
}
