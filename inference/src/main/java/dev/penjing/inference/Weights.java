package dev.penjing.inference;

import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.Quantization;
import dev.penjing.inference.kernel.Team;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// A decoder's weights as the kernels read them. Owns native memory until closed.
///
/// Letters of shapes: D hidden, F intermediate, H heads, K key-value heads, E head dim, V
/// vocabulary.
final class Weights implements AutoCloseable {
    /// @param qkv rows of q (H E), k (K E) and v (K E), in turn
    /// @param qkvBias of the same rows, empty where there is none
    /// @param output D x H E
    /// @param outputBias D, or empty
    /// @param gateUp 32 rows of the gate and 32 rows of up in turn, 2 F in all
    /// @param down D x F
    record Layer(
            float[] inputNorm,
            PackedMatrix qkv,
            float[] qkvBias,
            PackedMatrix output,
            float[] outputBias,
            float[] postNorm,
            PackedMatrix gateUp,
            PackedMatrix down) {}

    private final Arena arena;
    private final ModelConfig config;
    private final Optional<Quantization> wish;
    private final PackedMatrix embedding;
    private final PackedMatrix head;
    private final float[] norm;
    private final List<Layer> layers;
    private final long bytes;

    private Weights(
            Arena arena,
            WeightSource source,
            Optional<Quantization> wish,
            int lanes,
            Team team,
            Progress progress) {
        this.arena = arena;
        this.config = source.config();
        this.wish = wish;
        Loader loader = new Loader(source, lanes, team, progress);
        embedding =
                loader.matrix(
                        config.vocabularySize(), config.hiddenSize(), "model.embed_tokens.weight");
        loader.ends("model.embed_tokens.weight", embedding);
        Layer[] loaded = new Layer[config.numHiddenLayers()];
        // a layer is one thread's: the system clears its memory for it, which takes longest
        team.split(
                loaded.length,
                (from, end, scratch) -> {
                    for (int i = from; i < end; i++) {
                        loaded[i] = loader.layer("model.layers." + i + ".");
                    }
                });
        layers = List.of(loaded);
        norm = source.vector("model.norm.weight");
        if (config.tieWordEmbeddings()) {
            head = embedding;
        } else {
            head = loader.matrix(config.vocabularySize(), config.hiddenSize(), "lm_head.weight");
            loader.ends("lm_head.weight", head);
        }
        bytes = loader.bytes.get();
    }

    /// @throws dev.penjing.model.PenjingException if a weight is not finite
    static Weights load(
            WeightSource source,
            Optional<Quantization> wish,
            int lanes,
            Team team,
            Progress progress) {
        Arena arena = Arena.ofShared();
        try {
            return new Weights(arena, source, wish, lanes, team, progress);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    ModelConfig config() {
        return config;
    }

    /// Of most of the weights.
    Quantization quantization() {
        return layers.getFirst().gateUp().quantization();
    }

    PackedMatrix embedding() {
        return embedding;
    }

    PackedMatrix head() {
        return head;
    }

    float[] norm() {
        return norm;
    }

    List<Layer> layers() {
        return layers;
    }

    /// Of the matrices, in memory.
    long bytes() {
        return bytes;
    }

    /// Of the matrices that a token is multiplied by: of an embedding that is not the head, too, it
    /// takes a row.
    long bytesPerToken() {
        return head == embedding ? bytes : bytes - embedding.bytes();
    }

    @Override
    public void close() {
        arena.close();
    }

    private final class Loader {
        private final WeightSource source;
        private final int lanes;
        private final Team team;
        private final Progress progress;
        private final long total = config.parameters();
        private long done;
        private final AtomicLong bytes = new AtomicLong();

        Loader(WeightSource source, int lanes, Team team, Progress progress) {
            this.source = source;
            this.lanes = lanes;
            this.team = team;
            this.progress = progress;
        }

        /// A matrix of its own for a tensor.
        PackedMatrix matrix(int rows, int columns, String name) {
            return matrix(rows, columns, natural(name), arena);
        }

        private PackedMatrix matrix(
                int rows, int columns, Quantization quantization, SegmentAllocator memory) {
            PackedMatrix matrix = new PackedMatrix(quantization, rows, columns, lanes, memory);
            bytes.addAndGet(matrix.bytes());
            return matrix;
        }

        /// As fine as the finest of these tensors.
        private Quantization natural(String... names) {
            return wish.orElseGet(() ->
                    Arrays.stream(names)
                            .map(source::natural)
                            .max(Comparator.naturalOrder())
                            .orElseThrow());
        }

        /// Copies the embedding or the head, by all threads.
        void ends(String name, PackedMatrix to) {
            WeightSource.Rows rows = source.rows(name);
            team.split(
                    config.vocabularySize(),
                    (from, end, scratch) -> {
                        for (int row = from; row < end; row++) {
                            rows.copy(row, to, row);
                        }
                    });
            report(config.vocabularySize(), to);
        }

        /// Copies a tensor's `count` rows to `to` from row `toRow` on.
        private void rows(String name, PackedMatrix to, int toRow, int count) {
            WeightSource.Rows rows = source.rows(name);
            for (int row = 0; row < count; row++) {
                rows.copy(row, to, toRow + row);
            }
            report(count, to);
        }

        private synchronized void report(int rows, PackedMatrix of) {
            done += (long) rows * of.columns();
            progress.update("load", Math.min(done, total), total, "");
        }

        Layer layer(String at) {
            int hidden = config.hiddenSize();
            int queries = config.numAttentionHeads() * config.headDim();
            int keys = config.numKeyValueHeads() * config.headDim();
            int intermediate = config.intermediateSize();
            int gateUpRows = 2 * PackedMatrix.padded(intermediate);
            Quantization ofQkv =
                    natural(
                            at + "self_attn.q_proj.weight",
                            at + "self_attn.k_proj.weight",
                            at + "self_attn.v_proj.weight");
            Quantization ofOutput = natural(at + "self_attn.o_proj.weight");
            Quantization ofGateUp = natural(at + "mlp.gate_proj.weight", at + "mlp.up_proj.weight");
            Quantization ofDown = natural(at + "mlp.down_proj.weight");
            // one piece: at the ends of each, memory has pages of the small kind, which are slower
            long size =
                    PackedMatrix.bytes(ofQkv, queries + 2 * keys, hidden)
                            + PackedMatrix.bytes(ofOutput, hidden, queries)
                            + PackedMatrix.bytes(ofGateUp, gateUpRows, hidden)
                            + PackedMatrix.bytes(ofDown, hidden, intermediate);
            SegmentAllocator memory =
                    SegmentAllocator.slicingAllocator(arena.allocate(size, PackedMatrix.ALIGNMENT));
            PackedMatrix qkv = matrix(queries + 2 * keys, hidden, ofQkv, memory);
            rows(at + "self_attn.q_proj.weight", qkv, 0, queries);
            rows(at + "self_attn.k_proj.weight", qkv, queries, keys);
            rows(at + "self_attn.v_proj.weight", qkv, queries + keys, keys);
            PackedMatrix output = matrix(hidden, queries, ofOutput, memory);
            rows(at + "self_attn.o_proj.weight", output, 0, hidden);
            PackedMatrix gateUp = matrix(gateUpRows, hidden, ofGateUp, memory);
            alternating(at, gateUp);
            PackedMatrix down = matrix(hidden, intermediate, ofDown, memory);
            rows(at + "mlp.down_proj.weight", down, 0, hidden);
            return new Layer(
                    source.vector(at + "input_layernorm.weight"),
                    qkv,
                    qkvBias(at, queries, keys),
                    output,
                    config.biases().contains(Role.OUTPUT_BIAS)
                            ? source.vector(at + "self_attn.o_proj.bias")
                            : new float[0],
                    source.vector(at + "post_attention_layernorm.weight"),
                    gateUp,
                    down);
        }

        private void alternating(String at, PackedMatrix gateUp) {
            int unit = PackedMatrix.UNIT;
            WeightSource.Rows gate = source.rows(at + "mlp.gate_proj.weight");
            WeightSource.Rows up = source.rows(at + "mlp.up_proj.weight");
            for (int row = 0; row < config.intermediateSize(); row++) {
                int to = row / unit * 2 * unit + row % unit;
                gate.copy(row, gateUp, to);
                up.copy(row, gateUp, to + unit);
            }
            report(2 * config.intermediateSize(), gateUp);
        }

        private float[] qkvBias(String at, int queries, int keys) {
            if (!config.biases().contains(Role.QUERY_BIAS)) {
                return new float[0];
            }
            float[] bias = new float[queries + 2 * keys];
            System.arraycopy(source.vector(at + "self_attn.q_proj.bias"), 0, bias, 0, queries);
            System.arraycopy(source.vector(at + "self_attn.k_proj.bias"), 0, bias, queries, keys);
            System.arraycopy(
                    source.vector(at + "self_attn.v_proj.bias"), 0, bias, queries + keys, keys);
            return bias;
        }
    }
}
