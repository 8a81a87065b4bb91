package dev.penjing.inference;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Quantization;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/// The forward pass of a pre-norm decoder. Not thread-safe: it uses its team, and its buffers.
///
/// Letters of shapes: T rows of the batch, D hidden, F intermediate, H heads, K key-value heads, E
/// head dim, V vocabulary. Strides are padded to 32.
final class Transformer {
    private static final int UNIT = PackedMatrix.UNIT;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// Floats of gates and ups that a thread computes before it turns to what comes of them: they
    /// fit into its caches.
    private static final int GATED_FLOATS = 16_384;

    /// That a kernel takes at once.
    private static final int QUERIES = 4;

    private final Weights weights;
    private final ModelConfig config;
    private final Kernels kernels;
    private final Team team;
    private final KeyValuePool pool;
    private final double[] frequencies;
    private final int maxRows;
    private final Scratch oneRow = new Scratch();

    private final int headDim;
    private final int queries;
    private final int keys;
    private final int groups;
    private final int hiddenStride;
    private final int qkvStride;
    private final int mixedStride;
    private final boolean groupsAreBlocks;

    private final float[] hiddenTD;
    private final float[] qkvT;
    private final float[] mixedTHE;
    private final float[] cosT;
    private final float[] sinT;
    private final Activations normedTD;
    private final Activations mixedQuantTHE;
    private final Activations gatedTF;
    private final Activations wantedTD;
    private float[] logits = new float[0];

    /// @param maxRows of a batch
    Transformer(Weights weights, Kernels kernels, Team team, KeyValuePool pool, int maxRows) {
        this.weights = weights;
        this.config = weights.config();
        this.kernels = kernels;
        this.team = team;
        this.pool = pool;
        this.maxRows = maxRows;
        this.headDim = config.headDim();
        this.frequencies = config.rope().frequencies(headDim);
        this.queries = config.numAttentionHeads() * headDim;
        this.keys = config.numKeyValueHeads() * headDim;
        this.groups = config.numAttentionHeads() / config.numKeyValueHeads();
        this.hiddenStride = PackedMatrix.padded(config.hiddenSize());
        this.qkvStride = PackedMatrix.padded(queries + 2 * keys);
        this.mixedStride = PackedMatrix.padded(queries);
        this.groupsAreBlocks = groups * headDim % UNIT == 0;
        this.hiddenTD = new float[Math.multiplyExact(maxRows, hiddenStride)];
        this.qkvT = new float[Math.multiplyExact(maxRows, qkvStride)];
        this.mixedTHE = new float[Math.multiplyExact(maxRows, mixedStride)];
        this.cosT = new float[maxRows * headDim / 2];
        this.sinT = new float[maxRows * headDim / 2];
        List<Weights.Layer> layers = weights.layers();
        boolean normedFloats =
                layers.stream().anyMatch(l -> wantsFloats(l.qkv()) || wantsFloats(l.gateUp()));
        boolean mixedFloats = layers.stream().anyMatch(l -> wantsFloats(l.output()));
        boolean gatedFloats = layers.stream().anyMatch(l -> wantsFloats(l.down()));
        this.normedTD = new Activations(maxRows, hiddenStride, normedFloats);
        this.mixedQuantTHE = new Activations(maxRows, mixedStride, mixedFloats);
        this.gatedTF = new Activations(maxRows, config.intermediateSize(), gatedFloats);
        this.wantedTD = new Activations(maxRows, hiddenStride, wantsFloats(weights.head()));
    }

    private boolean wantsFloats(PackedMatrix matrix) {
        return matrix.quantization() == Quantization.Q8_0 && kernels.wantsFloats();
    }

    /// Runs the batch: writes keys and values of its rows.
    ///
    /// @return the logits of its wanted rows, in order, [wanted][padded V]: the caller's until the
    ///   next call
    float[] forward(Batch batch) {
        int rows = batch.rows();
        embed(batch);
        List<Weights.Layer> layers = weights.layers();
        for (int i = 0; i < layers.size(); i++) {
            Weights.Layer layer = layers.get(i);
            normed(layer.inputNorm(), rows);
            product(layer.qkv(), normedTD, qkvT, qkvStride, false);
            attention(batch, layer, i);
            product(layer.output(), mixedQuantTHE, hiddenTD, hiddenStride, true);
            addBias(layer.outputBias(), hiddenTD, hiddenStride, rows);
            normed(layer.postNorm(), rows);
            gated(layer.gateUp(), rows);
            product(layer.down(), gatedTF, hiddenTD, hiddenStride, true);
        }
        head(batch);
        return logits;
    }

    /// The logarithms of what turns rows of logits into probabilities, to `norms`.
    void logNorms(float[] logits, int rows, double[] norms) {
        int vocabulary = config.vocabularySize();
        team.split(
                rows,
                (from, end, scratch) -> {
                    for (int row = from; row < end; row++) {
                        norms[row] = kernels.logSumExp(logits, row * logitsStride(), vocabulary);
                    }
                });
    }

    KeyValuePool pool() {
        return pool;
    }

    /// Of a batch.
    int maxRows() {
        return maxRows;
    }

    /// Floats of a row of logits.
    int logitsStride() {
        return PackedMatrix.padded(config.vocabularySize());
    }

    private void embed(Batch batch) {
        for (int row = 0; row < batch.rows(); row++) {
            pool.use(batch.blocks[row][batch.positions[row] / KeyValuePool.BLOCK]);
            weights.embedding()
                    .row(batch.tokens[row], hiddenTD, row * hiddenStride, config.hiddenSize());
            for (int i = 0; i < headDim / 2; i++) {
                double angle = batch.positions[row] * frequencies[i];
                cosT[row * headDim / 2 + i] = (float) Math.cos(angle);
                sinT[row * headDim / 2 + i] = (float) Math.sin(angle);
            }
        }
    }

    /// Norm and quantisation of all rows; a few rows are not worth waking the team for.
    private void normed(float[] norm, int rows) {
        normedTD.setRows(rows);
        if (rows == 1) {
            norm(norm, hiddenTD, 0, normedTD, 0, oneRow);
            return;
        }
        team.split(
                rows,
                (from, end, scratch) -> {
                    for (int row = from; row < end; row++) {
                        norm(norm, hiddenTD, row * hiddenStride, normedTD, row, scratch);
                    }
                });
    }

    private void norm(float[] norm, float[] x, int at, Activations to, int toRow, Scratch scratch) {
        float[] out = scratch.floats(hiddenStride);
        int size = config.hiddenSize();
        kernels.rmsNorm(x, at, norm, size, (float) config.normEpsilon(), out);
        Arrays.fill(out, size, hiddenStride, 0);
        kernels.quantize(out, 0, 0, hiddenStride, to, toRow, scratch);
    }

    private void product(PackedMatrix w, Activations x, float[] y, int stride, boolean add) {
        team.split(
                w.rows() / UNIT,
                (from, to, scratch) ->
                        kernels.product(w, x, y, 0, stride, from * UNIT, to * UNIT, add, scratch));
    }

    private void addBias(float[] bias, float[] y, int stride, int rows) {
        for (int row = 0; row < rows && bias.length > 0; row++) {
            for (int i = 0; i < bias.length; i++) {
                y[row * stride + i] += bias[i];
            }
        }
    }

    private void attention(Batch batch, Weights.Layer layer, int layerIndex) {
        int rows = batch.rows();
        addBias(layer.qkvBias(), qkvT, qkvStride, rows);
        mixedQuantTHE.setRows(rows);
        int heads = config.numKeyValueHeads();
        int[] tiles = tiles(batch);
        int items = (tiles.length - 1) * heads;
        boolean alone = batch.alone();
        if (!alone) {
            team.split(
                    rows * heads,
                    (from, end, scratch) -> {
                        for (int i = from; i < end; i++) {
                            remember(batch, i / heads, layerIndex, i % heads);
                        }
                    });
        }
        team.split(
                items,
                (from, end, scratch) -> {
                    for (int i = from; i < end; i++) {
                        int row = tiles[i / heads];
                        if (alone) {
                            remember(batch, row, layerIndex, i % heads);
                        }
                        attend(batch, row, tiles[i / heads + 1], layerIndex, i % heads, scratch);
                    }
                });
        if (!groupsAreBlocks) {
            for (int row = 0; row < rows; row++) {
                kernels.quantize(
                        mixedTHE, row * mixedStride, 0, mixedStride, mixedQuantTHE, row, oneRow);
            }
        }
    }

    /// Where tiles of rows begin that see the same keys, but for the last few, and the number of
    /// rows.
    private static int[] tiles(Batch batch) {
        int[] tiles = new int[batch.rows() + 1];
        int count = 0;
        for (int row = 0; row < batch.rows(); row++) {
            boolean first =
                    row == 0
                            || batch.blocks[row] != batch.blocks[row - 1]
                            || row == tiles[count - 1] + QUERIES;
            if (first) {
                tiles[count++] = row;
            }
        }
        tiles[count] = batch.rows();
        return Arrays.copyOf(tiles, count + 1);
    }

    /// Rotates queries and key of a row and key-value head, and stores key and value.
    private void remember(Batch batch, int row, int layer, int head) {
        int at = row * qkvStride;
        for (int q = 0; q < groups; q++) {
            rotate(at + (head * groups + q) * headDim, row);
        }
        int key = at + queries + head * headDim;
        rotate(key, row);
        int value = at + queries + keys + head * headDim;
        int position = batch.positions[row];
        int block = batch.blocks[row][position / KeyValuePool.BLOCK];
        int in = position % KeyValuePool.BLOCK;
        MemorySegment data = pool.data(block);
        long k =
                pool.keys(layer, head)
                        + 2L * (in / Kernels.KEY_TILE * headDim * Kernels.KEY_TILE)
                        + 2L * (in % Kernels.KEY_TILE);
        long v = pool.values(layer, head) + 2L * in * headDim;
        for (int d = 0; d < headDim; d++) {
            data.set(SHORT, k + 2L * Kernels.KEY_TILE * d, half(qkvT[key + d]));
            data.set(SHORT, v + 2L * d, half(qkvT[value + d]));
        }
    }

    /// Float16, the largest where it would be infinite.
    private static short half(float x) {
        return Float.floatToFloat16(Math.max(-65504f, Math.min(65504f, x)));
    }

    /// Turns the pair (i, i + E/2) of a head by its angle (Su et al. 2021, section 3.2.2).
    private void rotate(int at, int row) {
        int half = headDim / 2;
        for (int i = 0; i < half; i++) {
            float cos = cosT[row * half + i];
            float sin = sinT[row * half + i];
            float a = qkvT[at + i];
            float b = qkvT[at + half + i];
            qkvT[at + i] = a * cos - b * sin;
            qkvT[at + half + i] = b * cos + a * sin;
        }
    }

    /// The attention of a tile's queries that share a key-value head, each over its row's position
    /// and all before it.
    private void attend(Batch batch, int fromRow, int toRow, int layer, int head, Scratch scratch) {
        int queries = (toRow - fromRow) * groups;
        for (int i = 0; i < queries; i += QUERIES) {
            attendSome(batch, fromRow, i, Math.min(QUERIES, queries - i), layer, head, scratch);
        }
        for (int row = fromRow; row < toRow && groupsAreBlocks; row++) {
            int from = head * groups * headDim;
            int to = from + groups * headDim;
            kernels.quantize(mixedTHE, row * mixedStride, from, to, mixedQuantTHE, row, scratch);
        }
    }

    /// The attention of up to four queries. The first row's are first.
    private void attendSome(
            Batch batch, int row, int query, int count, int layer, int head, Scratch scratch) {
        int block = KeyValuePool.BLOCK;
        int first = start(batch, row + query / groups) / block * block;
        int end = batch.positions[row + (query + count - 1) / groups] + 1;
        int[] blocks = batch.blocks[row];
        int stride = Math.ceilDiv(end - first, block) * block;
        int outAt = QUERIES * headDim;
        int scoresAt = 2 * outAt;
        float[] work = scratch.floats(Math.max(hiddenStride, scoresAt + QUERIES * stride));
        for (int i = 0; i < QUERIES; i++) {
            // where there are fewer than four, the last one is there again
            int q = query + Math.min(i, count - 1);
            int from = (row + q / groups) * qkvStride + (head * groups + q % groups) * headDim;
            System.arraycopy(qkvT, from, work, i * headDim, headDim);
        }
        scores(work, count, first, end, stride, blocks, pool.keys(layer, head));
        for (int i = 0; i < count; i++) {
            int at = scoresAt + i * stride;
            int seenFrom = start(batch, row + (query + i) / groups) - first;
            int seenTo = batch.positions[row + (query + i) / groups] + 1 - first;
            kernels.softmax(work, at + seenFrom, seenTo - seenFrom);
            Arrays.fill(work, at, at + seenFrom, 0);
            Arrays.fill(work, at + seenTo, at + end - first, 0);
        }
        mixes(work, count, first, end, stride, blocks, pool.values(layer, head));
        for (int i = 0; i < count; i++) {
            int q = query + i;
            int to = (row + q / groups) * mixedStride + (head * groups + q % groups) * headDim;
            System.arraycopy(work, outAt + i * headDim, mixedTHE, to, headDim);
        }
    }

    /// The first position that a row sees.
    private int start(Batch batch, int row) {
        int end = batch.positions[row] + 1;
        return config.slidingWindow().isPresent()
                ? Math.max(0, end - config.slidingWindow().getAsInt())
                : 0;
    }

    private void scores(
            float[] work, int count, int first, int end, int stride, int[] blocks, long keysAt) {
        float scale = (float) (1 / Math.sqrt(headDim));
        int to = 2 * QUERIES * headDim;
        for (int p = first; p < end; p += Kernels.KEY_TILE, to += Kernels.KEY_TILE) {
            MemorySegment data = pool.data(blocks[p / KeyValuePool.BLOCK]);
            long at = keysAt + 2L * (p % KeyValuePool.BLOCK * headDim);
            if (count == 1) {
                kernels.scores(work, 0, headDim, data, at, scale, work, to);
            } else {
                kernels.fourScores(work, 0, headDim, data, at, scale, work, to, stride);
            }
        }
    }

    private void mixes(
            float[] work, int count, int first, int end, int stride, int[] blocks, long valuesAt) {
        int block = KeyValuePool.BLOCK;
        int outAt = QUERIES * headDim;
        Arrays.fill(work, outAt, 2 * outAt, 0);
        for (int p = first; p < end; p += block) {
            MemorySegment data = pool.data(blocks[p / block]);
            int at = 2 * outAt + p - first;
            int some = Math.min(end - p, block);
            if (count == 1) {
                kernels.mix(work, at, some, data, valuesAt, headDim, work, outAt);
            } else {
                kernels.fourMixes(work, at, stride, some, data, valuesAt, headDim, work, outAt);
            }
        }
    }

    /// silu(gate) * up; neurons are quantised by the thread that computed them. With few rows a
    /// thread first reads all weights of its part, so that the stream does not break off; with many
    /// it goes 32 neurons at a time, which then are still in the cache.
    private void gated(PackedMatrix gateUp, int rows) {
        gatedTF.setRows(rows);
        team.split(
                gateUp.rows() / (2 * UNIT),
                (from, to, scratch) -> {
                    int step = Math.max(1, Math.min(to - from, GATED_FLOATS / (2 * UNIT * rows)));
                    for (int unit = from; unit < to; unit += step) {
                        gated(gateUp, unit, Math.min(step, to - unit), rows, scratch);
                    }
                });
    }

    private void gated(PackedMatrix gateUp, int unit, int count, int rows, Scratch scratch) {
        int first = 2 * UNIT * unit;
        int stride = 2 * UNIT * count;
        float[] out = scratch.floats(rows * stride);
        kernels.product(
                gateUp, normedTD, out, -first, stride, first, first + stride, false, scratch);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < count; i++) {
                int at = row * stride + 2 * UNIT * i;
                int to = UNIT * (unit + i);
                kernels.siluTimes(out, at, out, at + UNIT, UNIT);
                kernels.quantize(out, at - to, to, to + UNIT, gatedTF, row, scratch);
            }
        }
    }

    private void head(Batch batch) {
        int count = batch.wantedRows();
        if (count == 0) {
            return;
        }
        int size = Math.multiplyExact(count, logitsStride());
        logits = logits.length < size ? new float[size] : logits;
        wantedTD.setRows(count);
        int to = 0;
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.wanted[row]) {
                norm(weights.norm(), hiddenTD, row * hiddenStride, wantedTD, to++, oneRow);
            }
        }
        product(weights.head(), wantedTD, logits, logitsStride(), false);
    }
}
