package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.architecture.LayerAttention;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Rope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The decoder's attention between the two products: from a layer's queries, keys and values to
/// what its output matrix takes. Keys and values go to the pool. Not thread-safe: it uses its team,
/// and its buffers.
///
/// Letters of shapes: T rows of the batch, H heads, K key-value heads, E head dim. Strides are
/// padded to 32.
final class SelfAttention {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int QUERIES = Kernels.QUERIES;

    private final Kernels kernels;
    private final Team team;
    private final KeyValuePool pool;
    private final float scale;
    private final Scratch oneRow = new Scratch();

    private final int headDim;

    /// Key-value heads.
    private final int heads;

    /// Queries that share a key-value head.
    private final int groups;

    private final int queries;
    private final int keys;
    private final int qkvStride;
    private final int mixedStride;
    private final boolean groupsAreBlocks;

    /// Positions that a row sees in each layer, its own among them.
    private final int[] windows;

    /// Rotary positions that layers share, and which of them each layer has.
    private final List<Turns> turns = new ArrayList<>();

    private final Turns[] turnsOfLayer;

    private final float[] qkvT;
    private final float[] mixedTHE;
    private final Activations mixedQuantTHE;

    /// Where tiles of rows begin that see the same keys, but for the last few, and behind them the
    /// number of rows.
    private final int[] tiles;

    private int tileCount;

    /// @param maxRows of a batch
    SelfAttention(
            PackedWeights weights, Kernels kernels, Team team, KeyValuePool pool, int maxRows) {
        ModelConfig config = weights.config();
        this.kernels = kernels;
        this.team = team;
        this.pool = pool;
        this.headDim = config.headDim();
        this.scale = (float) config.multipliers().attention();
        this.heads = config.numKeyValueHeads();
        this.groups = config.numAttentionHeads() / heads;
        this.queries = config.numAttentionHeads() * headDim;
        this.keys = heads * headDim;
        this.qkvStride = PackedMatrix.padded(queries + 2 * keys);
        this.mixedStride = PackedMatrix.padded(queries);
        this.groupsAreBlocks = groups * headDim % PackedMatrix.UNIT == 0;
        List<LayerAttention> layers = config.attention();
        this.windows =
                layers.stream().mapToInt(l -> l.window().orElse(Integer.MAX_VALUE)).toArray();
        List<Rope> ropes = layers.stream().map(LayerAttention::rope).distinct().toList();
        ropes.forEach(rope -> turns.add(new Turns(rope, headDim, maxRows)));
        this.turnsOfLayer =
                layers.stream().map(l -> turns.get(ropes.indexOf(l.rope()))).toArray(Turns[]::new);
        this.qkvT = new float[Math.multiplyExact(maxRows, qkvStride)];
        this.mixedTHE = new float[Math.multiplyExact(maxRows, mixedStride)];
        this.mixedQuantTHE =
                kernels.activations(
                        maxRows,
                        mixedStride,
                        weights.layers().stream().map(PackedWeights.Layer::output).toList(),
                        weights.memory());
        this.tiles = new int[maxRows + 1];
    }

    /// Rows of queries (H E), keys (K E) and values (K E), a row of the batch every [#stride]: for
    /// the caller to fill before [#forward], which changes them.
    float[] qkv() {
        return qkvT;
    }

    int stride() {
        return qkvStride;
    }

    /// What all layers share. Once a batch, before its first layer.
    void begin(Batch batch) {
        for (int row = 0; row < batch.rows(); row++) {
            int position = batch.position(row);
            pool.use(batch.blocks(row)[position / KeyValuePool.BLOCK]);
            for (Turns turn : turns) {
                turn.begin(row, position);
            }
        }
        tile(batch);
    }

    /// Rotary positions of a batch's rows: cosines and sines by row and frequency.
    private static final class Turns {
        private final double[] frequencies;
        private final double magnitude;
        private final float[] cosT;
        private final float[] sinT;

        Turns(Rope rope, int headDim, int maxRows) {
            this.frequencies = rope.frequencies(headDim);
            this.magnitude = rope.magnitude();
            this.cosT = new float[maxRows * frequencies.length];
            this.sinT = new float[maxRows * frequencies.length];
        }

        void begin(int row, int position) {
            for (int i = 0; i < frequencies.length; i++) {
                double angle = position * frequencies[i];
                cosT[row * frequencies.length + i] = (float) (Math.cos(angle) * magnitude);
                sinT[row * frequencies.length + i] = (float) (Math.sin(angle) * magnitude);
            }
        }

        /// Turns the pairs (i, i + half) of a head by their angles (Su et al. 2021, section 3.2.2),
        /// where half is the number of frequencies; what is behind them stays.
        void rotate(float[] x, int at, int row) {
            int half = frequencies.length;
            for (int i = 0; i < half; i++) {
                float cos = cosT[row * half + i];
                float sin = sinT[row * half + i];
                float a = x[at + i];
                float b = x[at + half + i];
                x[at + i] = a * cos - b * sin;
                x[at + half + i] = b * cos + a * sin;
            }
        }
    }

    private void tile(Batch batch) {
        tileCount = 0;
        for (int row = 0; row < batch.rows(); row++) {
            boolean first =
                    row == 0
                            || batch.blocks(row) != batch.blocks(row - 1)
                            || row == tiles[tileCount - 1] + QUERIES;
            if (first) {
                tiles[tileCount++] = row;
            }
        }
        tiles[tileCount] = batch.rows();
    }

    /// A layer's attention over the rows of [#qkv]. Stores their keys and values.
    ///
    /// @param batch the one that [#begin] saw
    /// @return T x H E: until the next call
    Activations forward(Batch batch, int layer) {
        int rows = batch.rows();
        mixedQuantTHE.setRows(rows);
        boolean alone = batch.alone();
        if (!alone) {
            team.split(
                    rows * heads,
                    (from, end, scratch) -> {
                        for (int i = from; i < end; i++) {
                            remember(batch, i / heads, layer, i % heads);
                        }
                    });
        }
        team.split(
                tileCount * heads,
                (from, end, scratch) -> {
                    for (int i = from; i < end; i++) {
                        int row = tiles[i / heads];
                        if (alone) {
                            remember(batch, row, layer, i % heads);
                        }
                        attend(batch, row, tiles[i / heads + 1], layer, i % heads, scratch);
                    }
                });
        if (!groupsAreBlocks) {
            for (int row = 0; row < rows; row++) {
                kernels.quantize(
                        mixedTHE, row * mixedStride, 0, mixedStride, mixedQuantTHE, row, oneRow);
            }
        }
        return mixedQuantTHE;
    }

    /// Rotates queries and key of a row and key-value head, and stores key and value.
    private void remember(Batch batch, int row, int layer, int head) {
        int at = row * qkvStride;
        Turns turn = turnsOfLayer[layer];
        for (int q = 0; q < groups; q++) {
            turn.rotate(qkvT, at + (head * groups + q) * headDim, row);
        }
        int key = at + queries + head * headDim;
        turn.rotate(qkvT, key, row);
        int value = at + queries + keys + head * headDim;
        int position = batch.position(row);
        int block = batch.blocks(row)[position / KeyValuePool.BLOCK];
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

    /// The attention of a tile's queries that share a key-value head, each over its row's position
    /// and all before it.
    private void attend(Batch batch, int fromRow, int toRow, int layer, int head, Scratch scratch) {
        int count = (toRow - fromRow) * groups;
        for (int i = 0; i < count; i += QUERIES) {
            attendSome(batch, fromRow, i, Math.min(QUERIES, count - i), layer, head, scratch);
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
        int first = start(batch, row + query / groups, layer) / block * block;
        int end = batch.position(row + (query + count - 1) / groups) + 1;
        int[] blocks = batch.blocks(row);
        int stride = Math.ceilDiv(end - first, block) * block;
        int outAt = QUERIES * headDim;
        int scoresAt = 2 * outAt;
        float[] work = scratch.floats(scoresAt + QUERIES * stride);
        for (int i = 0; i < QUERIES; i++) {
            // where there are fewer than four, the last one is there again
            int q = query + Math.min(i, count - 1);
            int from = (row + q / groups) * qkvStride + (head * groups + q % groups) * headDim;
            System.arraycopy(qkvT, from, work, i * headDim, headDim);
        }
        MemorySegment[] seen = seen(blocks, first / block, Math.ceilDiv(end, block));
        kernels.scores(
                work,
                0,
                count,
                headDim,
                seen,
                pool.keys(layer, head),
                end - first,
                scale,
                scoresAt,
                stride,
                scratch);
        for (int i = 0; i < count; i++) {
            int at = scoresAt + i * stride;
            int seenFrom = start(batch, row + (query + i) / groups, layer) - first;
            int seenTo = batch.position(row + (query + i) / groups) + 1 - first;
            kernels.softmax(work, at + seenFrom, seenTo - seenFrom);
            Arrays.fill(work, at, at + seenFrom, 0);
            Arrays.fill(work, at + seenTo, at + end - first, 0);
        }
        Arrays.fill(work, outAt, 2 * outAt, 0);
        kernels.mix(
                work,
                scoresAt,
                stride,
                count,
                seen,
                pool.values(layer, head),
                end - first,
                headDim,
                outAt,
                scratch);
        for (int i = 0; i < count; i++) {
            int q = query + i;
            int to = (row + q / groups) * mixedStride + (head * groups + q % groups) * headDim;
            System.arraycopy(work, outAt + i * headDim, mixedTHE, to, headDim);
        }
    }

    /// The first position that a row sees.
    private int start(Batch batch, int row, int layer) {
        return Math.max(0, batch.position(row) + 1 - windows[layer]);
    }

    /// Blocks of a sequence from one to before another.
    private MemorySegment[] seen(int[] blocks, int from, int to) {
        MemorySegment[] seen = new MemorySegment[to - from];
        for (int i = 0; i < seen.length; i++) {
            seen[i] = pool.data(blocks[from + i]);
        }
        return seen;
    }
}
