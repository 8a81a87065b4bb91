package dev.penjing.compression.decoder;

import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.architecture.TensorTable;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.TensorView;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// All parameters of one decoder in a single flat tensor. Owns native memory until closed.
public final class FlatParameters implements AutoCloseable {
    private final ParameterLayout layout;
    private final Tensor flat;

    private FlatParameters(ParameterLayout layout, Tensor flat) {
        this.layout = layout;
        this.flat = Tensors.keep(flat);
    }

    /// Parameters that are all zero.
    public static FlatParameters zeros(ModelConfig config, Compute compute, ScalarType type) {
        return zeros(ParameterLayout.of(config), compute, type);
    }

    /// Those of one layer alone, all zero.
    public static FlatParameters zerosOfLayer(
            ModelConfig config, int layer, Compute compute, ScalarType type) {
        return zeros(ParameterLayout.ofLayer(config, layer), compute, type);
    }

    private static FlatParameters zeros(ParameterLayout layout, Compute compute, ScalarType type) {
        try (PointerScope scope = new PointerScope()) {
            return new FlatParameters(layout, Tensors.zeros(compute.options(type), layout.size()));
        }
    }

    /// Reads a checkpoint, which is checked against `config` first, tensor by tensor.
    ///
    /// @throws PenjingException if a tensor is missing, left over, of the wrong shape, all zero or
    ///   not finite
    public static FlatParameters load(
            Path directory, ModelConfig config, Compute compute, ScalarType type) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint.check(config);
            return read(
                    checkpoint,
                    ParameterLayout.of(config),
                    config,
                    Optional.empty(),
                    compute,
                    type);
        }
    }

    /// Reads a checkpoint as a model with other tokens: it says of each what the model of the
    /// checkpoint says of one of its own.
    ///
    /// @param tokens ids in the checkpoint, by their ids here
    public static FlatParameters load(
            Path directory, ModelConfig config, int[] tokens, Compute compute, ScalarType type) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint.check(config);
            return read(
                    checkpoint,
                    ParameterLayout.of(withTokens(config, tokens.length)),
                    config,
                    Optional.of(tokens),
                    compute,
                    type);
        }
    }

    /// Reads one layer of a checkpoint that has been checked against `config`.
    ///
    /// @throws PenjingException if a tensor is all zero or not finite
    public static FlatParameters ofLayer(
            Checkpoint checkpoint,
            ModelConfig config,
            int layer,
            Compute compute,
            ScalarType type) {
        ParameterLayout layout = ParameterLayout.ofLayer(config, layer);
        return read(checkpoint, layout, config, Optional.empty(), compute, type);
    }

    private static FlatParameters read(
            Checkpoint checkpoint,
            ParameterLayout layout,
            ModelConfig stored,
            Optional<int[]> tokens,
            Compute compute,
            ScalarType type) {
        TensorTable originals = stored.tensors();
        try (Closer closer = new Closer()) {
            FlatParameters parameters =
                    closer.own(zeros(layout, compute, type), FlatParameters::close);
            for (Slot slot : parameters.layout.slots()) {
                boolean ofTokens = slot.spec().rows().equals(List.of(Axis.VOCABULARY));
                parameters.read(
                        checkpoint.usable(
                                ofTokens ? originals.of(slot.spec().role()) : slot.spec()),
                        slot,
                        tokens.filter(t -> ofTokens));
            }
            closer.keep();
            return parameters;
        }
    }

    /// The configuration of what a checkpoint is read as.
    public static ModelConfig withTokens(ModelConfig stored, int tokens) {
        return tokens == stored.vocabularySize()
                ? stored
                : stored.resized(stored.shape().with(Axis.VOCABULARY, tokens));
    }

    /// @param rows of the tensor that are read, if not all
    private void read(TensorView view, Slot slot, Optional<int[]> rows) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            // the mapped file outlives this scope, and no tensor that looks into it leaves it
            Tensor source = mapped(view);
            view(slot.spec())
                    .copy_(
                            rows.map(r -> Tensors.ids(r, 1, r.length).view(-1))
                                    .map(r -> source.index_select(0, r))
                                    .orElse(source));
        }
    }

    /// A tensor in its mapped file, without a copy, as long as the file is open.
    ///
    /// @throws PenjingException if it is not F32, F16 or BF16
    public static Tensor mapped(TensorView view) {
        return Tensors.over(view.data(), scalarType(view), view.shape());
    }

    private static ScalarType scalarType(TensorView view) {
        return switch (view.dtype()) {
            case F32 -> ScalarType.Float;
            case F16 -> ScalarType.Half;
            case BF16 -> ScalarType.BFloat16;
            default ->
                    throw new PenjingException(
                            view.name()
                                    + " is stored as "
                                    + view.dtype()
                                    + "; weights must be F32, F16 or BF16");
        };
    }

    public ParameterLayout layout() {
        return layout;
    }

    /// All elements, `[size]`.
    public Tensor flat() {
        return flat;
    }

    /// One tensor, sharing memory with [#flat].
    public Tensor view(TensorSpec spec) {
        Slot slot = layout.slot(spec);
        return flat.narrow(0, slot.offset(), slot.size()).view(slot.shape());
    }

    /// A group of [ParameterLayout#group] as one matrix (or vector) of all their rows.
    ///
    /// @param group not empty
    Tensor rows(List<Slot> group) {
        long size = group.stream().mapToLong(Slot::size).sum();
        Slot first = group.getFirst();
        Tensor part = flat.narrow(0, first.offset(), size);
        return first.spec().matrix() ? part.view(-1, first.shape()[1]) : part;
    }

    @Override
    public void close() {
        Tensors.release(flat);
    }
}
