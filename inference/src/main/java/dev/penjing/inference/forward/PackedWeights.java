package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.PackedMatrix;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.architecture.TensorTable;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// A decoder's weights as the kernels read them. Owns native memory until closed.
///
/// Letters of shapes: D hidden, F intermediate, H heads, K key-value heads, E head dim, V
/// vocabulary.
final class PackedWeights implements AutoCloseable {
    /// A norm; both are empty where there is none.
    ///
    /// @param weight whole, whatever the checkpoint stores
    /// @param bias empty where there is none
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    record Gain(float[] weight, float[] bias) {
        boolean none() {
            return weight.length == 0;
        }
    }

    /// @param qkv rows of q (H E), k (K E) and v (K E), in turn: one matrix, or one for each where
    ///   their formats differ
    /// @param qkvBias of the same rows, empty where there is none
    /// @param queryNorm E, or H E where all heads are normalised as one
    /// @param output D x H E
    /// @param outputBias D, or empty
    /// @param gateUp 32 rows of the gate and 32 rows of up in turn, 2 F in all; where there is no
    ///   gate, rows of up
    /// @param down D x F
    record Layer(
            Gain attentionNorm,
            List<PackedMatrix> qkv,
            float[] qkvBias,
            Gain queryNorm,
            Gain keyNorm,
            PackedMatrix output,
            float[] outputBias,
            Gain afterAttention,
            Gain mlpNorm,
            PackedMatrix gateUp,
            PackedMatrix down,
            Gain afterMlp) {}

    private final Arena arena;
    private final ModelConfig config;
    private final PackedMatrix embedding;
    private final PackedMatrix head;
    private final Gain norm;
    private final List<Layer> layers;
    private final long bytes;

    private PackedWeights(Arena arena, WeightSource source, Loading loading) {
        this.arena = arena;
        this.config = source.config();
        Loader loader = new Loader(source, loading);
        TensorTable tensors = config.tensors();
        embedding = loader.matrix(tensors.of(Role.EMBEDDING));
        Layer[] loaded = new Layer[config.numHiddenLayers()];
        // a layer is one thread's: the system clears its memory for it, which takes longest
        loading.team()
                .split(
                        loaded.length,
                        (from, end, scratch) -> {
                            for (int i = from; i < end; i++) {
                                loaded[i] = loader.layer(i);
                            }
                        });
        layers = List.of(loaded);
        norm =
                new Gain(
                        source.vector(tensors.of(Role.FINAL_NORM)),
                        loader.vector(tensors.find(Role.FINAL_NORM_BIAS)));
        head = tensors.find(Role.HEAD).map(loader::matrix).orElse(embedding);
        bytes = loader.bytes.get();
    }

    /// @throws dev.penjing.model.PenjingException if a weight is not finite, or loading was
    ///   cancelled
    static PackedWeights load(WeightSource source, Loading loading) {
        try (Closer closer = new Closer()) {
            Arena arena = Arena.ofShared();
            closer.own(arena, Arena::close);
            PackedWeights weights = new PackedWeights(arena, source, loading);
            closer.keep();
            return weights;
        }
    }

    ModelConfig config() {
        return config;
    }

    /// Of most of the weights.
    WeightFormat format() {
        return layers.getFirst().gateUp().format();
    }

    PackedMatrix embedding() {
        return embedding;
    }

    PackedMatrix head() {
        return head;
    }

    Gain norm() {
        return norm;
    }

    List<Layer> layers() {
        return layers;
    }

    /// Memory that lives as long as the weights.
    SegmentAllocator memory() {
        return arena;
    }

    /// Of the matrices, in memory.
    long bytes() {
        return bytes;
    }

    /// Bytes of the matrices that one token is multiplied by. An embedding counts only if it is the
    /// head, too (tied): otherwise a token reads one row of it.
    long bytesPerToken() {
        return head == embedding ? bytes : bytes - embedding.bytes();
    }

    @Override
    public void close() {
        arena.close();
    }

    private final class Loader {
        private final WeightSource source;
        private final Loading loading;
        private final long total = config.parameters();
        private long done;
        private final AtomicLong bytes = new AtomicLong();

        Loader(WeightSource source, Loading loading) {
            this.source = source;
            this.loading = loading;
        }

        /// A matrix of its own for the embedding or the head, copied by all threads.
        PackedMatrix matrix(TensorSpec spec) {
            int rows = Math.toIntExact(spec.shape()[0]);
            int columns = Math.toIntExact(spec.shape()[1]);
            PackedMatrix to = matrix(rows, columns, natural(spec), arena);
            WeightSource.Rows from = source.rows(spec);
            loading.team()
                    .split(
                            rows,
                            (first, end, scratch) -> {
                                for (int row = first; row < end; row++) {
                                    loading.check();
                                    from.copy(row, to, row);
                                }
                            });
            report(rows, to);
            return to;
        }

        private PackedMatrix matrix(
                int rows, int columns, WeightFormat format, SegmentAllocator memory) {
            int lanes = loading.kernels().lanes();
            PackedMatrix matrix = new PackedMatrix(format, rows, columns, lanes, memory);
            bytes.addAndGet(matrix.bytes());
            return matrix;
        }

        /// The format of these tensors, or the finest if they do not share one.
        private WeightFormat natural(TensorSpec... specs) {
            return loading.format()
                    .orElseGet(() -> {
                        List<WeightFormat> formats =
                                Arrays.stream(specs).map(source::natural).distinct().toList();
                        return formats.size() == 1 ? formats.getFirst() : WeightFormat.finest();
                    });
        }

        /// Copies a tensor's rows to `to` from row `toRow` on.
        private void rows(TensorSpec spec, PackedMatrix to, int toRow) {
            WeightSource.Rows rows = source.rows(spec);
            int count = Math.toIntExact(spec.shape()[0]);
            for (int row = 0; row < count; row++) {
                loading.check();
                rows.copy(row, to, toRow + row);
            }
            report(count, to);
        }

        /// These tensors, all as one matrix if they are of one format or do not end where a matrix
        /// can, else each for itself.
        private List<List<TensorSpec>> alike(TensorSpec... specs) {
            boolean one =
                    loading.format().isPresent()
                            || Arrays.stream(specs).map(source::natural).distinct().count() == 1
                            || Arrays.stream(specs)
                                    .anyMatch(spec -> spec.shape()[0] % PackedMatrix.UNIT != 0);
            return one ? List.of(List.of(specs)) : Arrays.stream(specs).map(List::of).toList();
        }

        private WeightFormat natural(List<TensorSpec> specs) {
            return natural(specs.toArray(TensorSpec[]::new));
        }

        private static int rows(List<TensorSpec> specs) {
            return Math.toIntExact(specs.stream().mapToLong(spec -> spec.shape()[0]).sum());
        }

        private long bytes(List<TensorSpec> specs) {
            return PackedMatrix.bytes(natural(specs), rows(specs), config.hiddenSize());
        }

        /// A matrix with the rows of these tensors in turn.
        private PackedMatrix together(List<TensorSpec> specs, SegmentAllocator memory) {
            PackedMatrix to = matrix(rows(specs), config.hiddenSize(), natural(specs), memory);
            int row = 0;
            for (TensorSpec spec : specs) {
                rows(spec, to, row);
                row += Math.toIntExact(spec.shape()[0]);
            }
            return to;
        }

        private synchronized void report(int rows, PackedMatrix of) {
            done += (long) rows * of.columns();
            loading.progress().update("load", Math.min(done, total), total, "");
        }

        Layer layer(int index) {
            TensorTable tensors = config.tensors();
            TensorSpec query = tensors.in(index, Role.QUERY);
            TensorSpec key = tensors.in(index, Role.KEY);
            TensorSpec value = tensors.in(index, Role.VALUE);
            TensorSpec outputs = tensors.in(index, Role.OUTPUT);
            Optional<TensorSpec> gate = tensors.find(index, Role.GATE);
            TensorSpec up = tensors.in(index, Role.UP);
            TensorSpec downs = tensors.in(index, Role.DOWN);
            int hidden = config.hiddenSize();
            int queries = config.numAttentionHeads() * config.headDim();
            int keys = config.numKeyValueHeads() * config.headDim();
            int intermediate = config.intermediateSize();
            int gateUpRows = (gate.isPresent() ? 2 : 1) * PackedMatrix.padded(intermediate);
            List<List<TensorSpec>> ofQkv = alike(query, key, value);
            WeightFormat ofOutput = natural(outputs);
            WeightFormat ofGateUp = natural(gate.orElse(up), up);
            WeightFormat ofDown = natural(downs);
            // one piece: at the ends of each, memory has pages of the small kind, which are slower
            long size =
                    ofQkv.stream().mapToLong(this::bytes).sum()
                            + PackedMatrix.bytes(ofOutput, hidden, queries)
                            + PackedMatrix.bytes(ofGateUp, gateUpRows, hidden)
                            + PackedMatrix.bytes(ofDown, hidden, intermediate);
            SegmentAllocator memory =
                    SegmentAllocator.slicingAllocator(arena.allocate(size, PackedMatrix.ALIGNMENT));
            List<PackedMatrix> qkv = ofQkv.stream().map(specs -> together(specs, memory)).toList();
            PackedMatrix output = matrix(hidden, queries, ofOutput, memory);
            rows(outputs, output, 0);
            PackedMatrix gateUp = matrix(gateUpRows, hidden, ofGateUp, memory);
            if (gate.isPresent()) {
                alternating(gate.get(), up, gateUp);
            } else {
                rows(up, gateUp, 0);
            }
            PackedMatrix down = matrix(hidden, intermediate, ofDown, memory);
            rows(downs, down, 0);
            return new Layer(
                    norm(index, Role.ATTENTION_NORM, Role.ATTENTION_NORM_BIAS),
                    qkv,
                    qkvBias(index, queries, keys),
                    norm(index, Role.QUERY_NORM),
                    norm(index, Role.KEY_NORM),
                    output,
                    vector(tensors.find(index, Role.OUTPUT_BIAS)),
                    norm(index, Role.AFTER_ATTENTION_NORM),
                    norm(index, Role.MLP_NORM, Role.MLP_NORM_BIAS),
                    gateUp,
                    down,
                    norm(index, Role.AFTER_MLP_NORM));
        }

        /// @param bias its role, where it may have one
        private Gain norm(int index, Role weight, Role... bias) {
            TensorTable tensors = config.tensors();
            Optional<TensorSpec> ofBias =
                    Arrays.stream(bias).findFirst().flatMap(role -> tensors.find(index, role));
            return new Gain(vector(tensors.find(index, weight)), vector(ofBias));
        }

        /// Empty where there is none.
        float[] vector(Optional<TensorSpec> spec) {
            return spec.map(source::vector).orElseGet(() -> new float[0]);
        }

        private void alternating(TensorSpec gates, TensorSpec ups, PackedMatrix gateUp) {
            int unit = PackedMatrix.UNIT;
            WeightSource.Rows gate = source.rows(gates);
            WeightSource.Rows up = source.rows(ups);
            for (int row = 0; row < config.intermediateSize(); row++) {
                loading.check();
                int to = row / unit * 2 * unit + row % unit;
                gate.copy(row, gateUp, to);
                up.copy(row, gateUp, to + unit);
            }
            report(2 * config.intermediateSize(), gateUp);
        }

        /// Zeros for what has no bias beside what has one; empty if nothing has.
        private float[] qkvBias(int index, int queries, int keys) {
            TensorTable tensors = config.tensors();
            float[] all = new float[queries + 2 * keys];
            boolean any = false;
            int at = 0;
            for (Role role : List.of(Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS)) {
                Optional<TensorSpec> bias = tensors.find(index, role);
                if (bias.isPresent()) {
                    float[] values = source.vector(bias.get());
                    System.arraycopy(values, 0, all, at, values.length);
                    any = true;
                }
                at += role == Role.QUERY_BIAS ? queries : keys;
            }
            return any ? all : new float[0];
        }
    }
}
