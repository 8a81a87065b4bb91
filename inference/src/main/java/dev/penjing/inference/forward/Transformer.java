package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.Activations;
import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.identity.Arithmetic;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// The forward pass of a decoder on the processor, its weights quantised. Not thread-safe: it uses
/// its team, and its buffers.
///
/// Letters of shapes: T rows of the batch, D hidden, F intermediate, V vocabulary. Strides are
/// padded to 32.
public final class Transformer implements ForwardPass {
    /// Positions of a block of its key-value cache.
    public static final int BLOCK_TOKENS = KeyValuePool.BLOCK;

    private static final int UNIT = PackedMatrix.UNIT;

    /// Floats of gates and ups that a thread computes before it turns to what comes of them: they
    /// fit into its caches.
    private static final int GATED_FLOATS = 16_384;

    private final PackedWeights weights;
    private final KeyValuePool pool;
    private final ModelConfig config;
    private final Kernels kernels;
    private final Team team;
    private final Norms norms;
    private final SelfAttention attention;
    private final int maxRows;
    private final Scratch oneRow = new Scratch();

    private final int hiddenStride;
    private final float[] hiddenTD;
    private final float[] addedTD;
    private final Activations normedTD;
    private final Activations neuronsTF;
    private final Activations wantedTD;
    private float[] logits = new float[0];

    private Transformer(
            PackedWeights weights, KeyValuePool pool, Kernels kernels, Team team, int maxRows) {
        this.weights = weights;
        this.pool = pool;
        this.config = weights.config();
        this.kernels = kernels;
        this.norms = new Norms(config.norm(), kernels);
        this.team = team;
        this.attention = new SelfAttention(weights, kernels, team, pool, maxRows);
        this.maxRows = maxRows;
        this.hiddenStride = PackedMatrix.padded(config.hiddenSize());
        this.hiddenTD = new float[Math.multiplyExact(maxRows, hiddenStride)];
        List<PackedWeights.Layer> layers = weights.layers();
        boolean changed =
                config.multipliers().residual() != 1
                        || layers.stream()
                                .anyMatch(l -> !l.afterAttention().none() || !l.afterMlp().none());
        this.addedTD = new float[changed ? hiddenTD.length : 0];
        List<PackedMatrix> byNormed =
                layers.stream()
                        .flatMap(l -> Stream.concat(l.qkv().stream(), Stream.of(l.gateUp())))
                        .toList();
        List<PackedMatrix> byGated = layers.stream().map(PackedWeights.Layer::down).toList();
        List<PackedMatrix> byWanted = List.of(weights.head());
        SegmentAllocator memory = weights.memory();
        this.normedTD = kernels.activations(maxRows, hiddenStride, byNormed, memory);
        this.neuronsTF = kernels.activations(maxRows, config.intermediateSize(), byGated, memory);
        this.wantedTD = kernels.activations(maxRows, hiddenStride, byWanted, memory);
    }

    /// Loads a model.
    ///
    /// @param cacheBytes for keys and values
    /// @param maxRows of a batch
    /// @throws dev.penjing.model.PenjingException if a weight is not finite, or the cache is
    ///   smaller than a block
    public static Transformer load(
            WeightSource source, long cacheBytes, int maxRows, Loading loading) {
        try (Closer closer = new Closer()) {
            // before the weights: it fails without having taken memory
            KeyValuePool pool = new KeyValuePool(source.config(), cacheBytes);
            closer.own(pool, KeyValuePool::close);
            PackedWeights weights = PackedWeights.load(source, loading);
            closer.own(weights, PackedWeights::close);
            Transformer transformer =
                    new Transformer(weights, pool, loading.kernels(), loading.team(), maxRows);
            closer.keep();
            return transformer;
        }
    }

    /// @return [wanted][padded V]
    @Override
    public float[] forward(Batch batch) {
        int rows = batch.rows();
        embed(batch);
        attention.begin(batch);
        List<PackedWeights.Layer> layers = weights.layers();
        for (int i = 0; i < layers.size(); i++) {
            PackedWeights.Layer layer = layers.get(i);
            normed(layer.attentionNorm(), rows);
            int at = 0;
            for (PackedMatrix matrix : layer.qkv()) {
                product(matrix, normedTD, attention.qkv(), at, attention.stride(), false);
                at += matrix.rows();
            }
            addBias(layer.qkvBias(), attention.qkv(), attention.stride(), rows);
            headNorms(layer, rows);
            Activations mixed = attention.forward(batch, i);
            residual(layer.output(), mixed, layer.outputBias(), layer.afterAttention(), rows);
            normed(layer.mlpNorm(), rows);
            neurons(layer.gateUp(), rows);
            residual(layer.down(), neuronsTF, new float[0], layer.afterMlp(), rows);
        }
        head(batch);
        return logits;
    }

    @Override
    public double logSumExp(float[] row, int at) {
        return kernels.logSumExp(row, at, config.vocabularySize());
    }

    @Override
    public void logSumExps(float[] rowsOfLogits, int rows, double[] to) {
        team.split(
                rows,
                (from, end, scratch) -> {
                    for (int row = from; row < end; row++) {
                        to[row] = logSumExp(rowsOfLogits, row * logitsStride());
                    }
                });
    }

    @Override
    public int vocabularySize() {
        return config.vocabularySize();
    }

    @Override
    public int logitsStride() {
        return PackedMatrix.padded(config.vocabularySize());
    }

    @Override
    public int maxRows() {
        return maxRows;
    }

    @Override
    public int contextLength() {
        return config.maxPositionEmbeddings();
    }

    @Override
    public int blocks() {
        return pool.blocks();
    }

    @Override
    public int blockTokens() {
        return BLOCK_TOKENS;
    }

    @Override
    public long blockBytes() {
        return pool.blockBytes();
    }

    @Override
    public void copyBlock(int from, int to) {
        pool.copy(from, to);
    }

    @Override
    public long weightBytes() {
        return weights.bytes();
    }

    @Override
    public long weightBytesPerToken() {
        return weights.bytesPerToken();
    }

    @Override
    public Arithmetic arithmetic() {
        String format = weights.format().name();
        return Arithmetic.here("penjing", kernels.describe(), format, "cpu");
    }

    @Override
    public void close() {
        pool.close();
        weights.close();
    }

    private void embed(Batch batch) {
        for (int row = 0; row < batch.rows(); row++) {
            weights.embedding()
                    .row(batch.token(row), hiddenTD, row * hiddenStride, config.hiddenSize());
            times(
                    config.multipliers().embedding(),
                    hiddenTD,
                    row * hiddenStride,
                    config.hiddenSize());
        }
    }

    private static void times(double factor, float[] x, int at, int size) {
        float f = (float) factor;
        for (int i = at; i < at + size && f != 1; i++) {
            x[i] *= f;
        }
    }

    /// A row's share of work.
    private interface RowTask {
        void run(int row, Scratch scratch);
    }

    /// A single row is not worth waking the team for.
    private void eachRow(int rows, RowTask task) {
        if (rows == 1) {
            task.run(0, oneRow);
            return;
        }
        team.split(
                rows,
                (from, end, scratch) -> {
                    for (int row = from; row < end; row++) {
                        task.run(row, scratch);
                    }
                });
    }

    /// Norm and quantisation of all rows.
    private void normed(PackedWeights.Gain gain, int rows) {
        normedTD.setRows(rows);
        eachRow(rows, (row, scratch) -> normed(gain, row, 1, normedTD, row, scratch));
    }

    /// Norm and quantisation of a row of hidden states.
    private void normed(
            PackedWeights.Gain gain,
            int row,
            double factor,
            Activations to,
            int toRow,
            Scratch scratch) {
        float[] out = scratch.floats(hiddenStride);
        int size = config.hiddenSize();
        norms.apply(gain, hiddenTD, row * hiddenStride, size, out);
        times(factor, out, 0, size);
        Arrays.fill(out, size, hiddenStride, 0);
        kernels.quantize(out, 0, 0, hiddenStride, to, toRow, scratch);
    }

    /// Norms of queries and keys, head by head or all heads as one.
    private void headNorms(PackedWeights.Layer layer, int rows) {
        int queries = config.numAttentionHeads() * config.headDim();
        int keys = config.numKeyValueHeads() * config.headDim();
        if (layer.queryNorm().none()) {
            return;
        }
        eachRow(
                rows,
                (row, scratch) -> {
                    int at = row * attention.stride();
                    norms.parts(layer.queryNorm(), attention.qkv(), at, at + queries, scratch);
                    int end = at + queries + keys;
                    norms.parts(layer.keyNorm(), attention.qkv(), at + queries, end, scratch);
                });
    }

    /// Adds w x + bias to the residual stream, normalised and multiplied where the family does so.
    private void residual(
            PackedMatrix w, Activations x, float[] bias, PackedWeights.Gain after, int rows) {
        float factor = (float) config.multipliers().residual();
        boolean plain = after.none() && factor == 1;
        float[] to = plain ? hiddenTD : addedTD;
        product(w, x, to, 0, hiddenStride, plain);
        addBias(bias, to, hiddenStride, rows);
        if (plain) {
            return;
        }
        int size = config.hiddenSize();
        eachRow(
                rows,
                (row, scratch) -> {
                    float[] out = scratch.floats(size);
                    norms.apply(after, addedTD, row * hiddenStride, size, out);
                    for (int i = 0; i < size; i++) {
                        hiddenTD[row * hiddenStride + i] += factor * out[i];
                    }
                });
    }

    /// @param at the first row's element in y
    private void product(
            PackedMatrix w, Activations x, float[] y, int at, int stride, boolean add) {
        team.split(
                w.rows() / UNIT,
                (from, to, scratch) ->
                        kernels.product(w, x, y, at, stride, from * UNIT, to * UNIT, add, scratch));
    }

    private void addBias(float[] bias, float[] y, int stride, int rows) {
        for (int row = 0; row < rows && bias.length > 0; row++) {
            for (int i = 0; i < bias.length; i++) {
                y[row * stride + i] += bias[i];
            }
        }
    }

    /// What the down matrix takes; neurons are quantised by the thread that computed them. With few
    /// rows a thread first reads all weights of its part, so that the stream does not break off;
    /// with many it goes 32 neurons at a time, which then are still in the cache.
    private void neurons(PackedMatrix gateUp, int rows) {
        neuronsTF.setRows(rows);
        int each = config.mlp().gated() ? 2 * UNIT : UNIT;
        team.split(
                gateUp.rows() / each,
                (from, to, scratch) -> {
                    int step = Math.max(1, Math.min(to - from, GATED_FLOATS / (each * rows)));
                    for (int unit = from; unit < to; unit += step) {
                        neurons(gateUp, each, unit, Math.min(step, to - unit), rows, scratch);
                    }
                });
    }

    /// @param each rows of the matrix that make a unit of neurons
    private void neurons(
            PackedMatrix gateUp, int each, int unit, int count, int rows, Scratch scratch) {
        int first = each * unit;
        int stride = each * count;
        float[] out = scratch.floats(rows * stride);
        kernels.product(
                gateUp, normedTD, out, -first, stride, first, first + stride, false, scratch);
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < count; i++) {
                int at = row * stride + each * i;
                int to = UNIT * (unit + i);
                switch (config.mlp()) {
                    case Mlp.GatedSilu _ -> kernels.siluTimes(out, at, out, at + UNIT, UNIT);
                    case Mlp.GatedGelu _ -> kernels.geluTimes(out, at, out, at + UNIT, UNIT);
                    case Mlp.SquaredRelu _ -> squaredRelu(out, at);
                }
                kernels.quantize(out, at - to, to, to + UNIT, neuronsTF, row, scratch);
            }
        }
    }

    private static void squaredRelu(float[] x, int at) {
        for (int i = at; i < at + UNIT; i++) {
            float positive = Math.max(0, x[i]);
            x[i] = positive * positive;
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
        double logitScale = config.multipliers().logits();
        int to = 0;
        for (int row = 0; row < batch.rows(); row++) {
            if (batch.wanted(row)) {
                normed(weights.norm(), row, logitScale, wantedTD, to++, oneRow);
            }
        }
        product(weights.head(), wantedTD, logits, 0, logitsStride(), false);
    }
}
