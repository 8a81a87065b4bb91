package dev.penjing.compression.generation;

import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// The prefix that several texts share, read piece by piece (chunked prefill) with its keys and
/// values kept, so that it can be continued from any of its positions. Tensors belong to the
/// caller's scope, in which no gradient may be wanted.
///
/// Memory: a pass holds two matrices of attention scores, of 2^25 elements each at most (but 64
/// tokens always go at once, however long the text before), and the hidden states of 1024 tokens.
final class SharedPrefix implements AutoCloseable {
    private static final long SCORES = 1L << 25;
    private static final int LEAST = 64;
    private static final int MOST = 1024;

    /// Tokens of one row at most: branches of a row are compared with each other too, though they
    /// see nothing of each other.
    private static final int ROW = 512;

    private final Decoder decoder;
    private final ModelConfig config;
    private final Compute compute;
    private final KeyValueCache cache;

    SharedPrefix(Decoder decoder) {
        this.decoder = decoder;
        this.config = decoder.config();
        this.compute = decoder.compute();
        this.cache = new KeyValueCache(config, compute, 1, ROW);
    }

    KeyValueCache cache() {
        return cache;
    }

    int length() {
        return Math.toIntExact(cache.length());
    }

    /// Forgets all behind the first `length` positions.
    void cut(int length) {
        cache.length(length);
    }

    /// The most tokens that a row behind `before` positions may have.
    int row(int before) {
        return Math.min(ROW, tokens(before, ROW));
    }

    /// The most tokens that may go at once as rows of `width` behind `before` positions.
    int tokens(int before, int width) {
        long perToken = (long) config.numAttentionHeads() * (before + width);
        return (int) Math.clamp(SCORES / perToken, LEAST, MOST);
    }

    /// Reads on: `ids[from]` to `ids[to - 1]` become the prefix's end.
    ///
    /// @return hidden states, `[to - from, D]`
    Tensor read(int[] ids, int from, int to) {
        int count = to - from;
        int before = length();
        int[] row = java.util.Arrays.copyOfRange(ids, from, to);
        int[] positions = new int[count];
        int[] parents = new int[count];
        for (int i = 0; i < count; i++) {
            positions[i] = before + i;
            parents[i] = i - 1;
        }
        cache.reserve(before + count);
        Tensor hidden = pass(row, positions, parents, 1, true);
        cache.length(before + count);
        return hidden;
    }

    /// The same in as many pieces as it takes.
    ///
    /// @return the hidden state of the last position, `[1, D]`
    Tensor readAll(int[] ids, int from, int to) {
        int at = from;
        while (true) {
            int end = Math.min(to, at + row(length()));
            int begin = at;
            if (end == to) {
                return Tensors.scoped(() -> {
                    Tensor hidden = read(ids, begin, end);
                    return hidden.narrow(0, hidden.size(0) - 1, 1).clone();
                });
            }
            try (PointerScope scope = new PointerScope()) {
                read(ids, begin, end);
            }
            at = end;
        }
    }

    /// Rows that go on from the prefix, each of which may branch; nothing of them is kept.
    ///
    /// @param ids of `rows` rows
    /// @param positions in the text
    /// @param parents index in its row of the token before, -1 for the prefix's last; a token
    ///   stands behind its parent
    /// @return hidden states, `[ids, D]`
    Tensor branches(int[] ids, int[] positions, int[] parents, int rows) {
        return pass(ids, positions, parents, rows, false);
    }

    private Tensor pass(int[] ids, int[] positions, int[] parents, int rows, boolean append) {
        int width = ids.length / rows;
        CachedAttention attention =
                new CachedAttention(
                        decoder,
                        decoder.rotations(positions, rows),
                        cache,
                        append,
                        Optional.empty(),
                        Windows.masks(
                                config,
                                w -> Optional.of(mask(positions, parents, rows, width, w))));
        Tensor idsBL = compute.place(Tensors.ids(ids, rows, width));
        return decoder.hidden(decoder.embed(idsBL), attention);
    }

    /// A token sees itself and what its parent sees, unless the window has passed.
    private Tensor mask(int[] positions, int[] parents, int rows, int width, int window) {
        int last = 0;
        for (int position : positions) {
            last = Math.max(last, position);
        }
        // only a window hides anything of the prefix
        int before = last >= window ? length() : 0;
        int columns = before + width;
        float[] mask = new float[positions.length * columns];
        for (int token = 0; token < positions.length; token++) {
            int first = token / width * width;
            int at = token * columns;
            for (int j = 0; j < before; j++) {
                boolean seen = positions[token] - j < window;
                mask[at + j] = seen ? 0 : Float.NEGATIVE_INFINITY;
            }
            java.util.Arrays.fill(mask, at + before, at + columns, Float.NEGATIVE_INFINITY);
            int parent = parents[token];
            for (int j = 0; j <= parent; j++) {
                boolean hidden = positions[token] - positions[first + j] >= window;
                mask[at + before + j] =
                        hidden
                                ? Float.NEGATIVE_INFINITY
                                : mask[(first + parent) * columns + before + j];
            }
            mask[at + before + token - first] = 0;
        }
        return compute.tensor(mask, rows, width, columns);
    }

    @Override
    public void close() {
        cache.close();
    }
}
