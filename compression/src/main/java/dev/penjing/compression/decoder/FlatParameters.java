package dev.penjing.compression.decoder;

import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.TensorView;
import java.nio.file.Path;
import java.util.List;
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
            return read(checkpoint, ParameterLayout.of(config), compute, type);
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
        return read(checkpoint, ParameterLayout.ofLayer(config, layer), compute, type);
    }

    private static FlatParameters read(
            Checkpoint checkpoint, ParameterLayout layout, Compute compute, ScalarType type) {
        try (Closer closer = new Closer()) {
            FlatParameters parameters =
                    closer.own(zeros(layout, compute, type), FlatParameters::close);
            for (Slot slot : parameters.layout.slots()) {
                parameters.read(checkpoint.usable(slot.spec()), slot);
            }
            closer.keep();
            return parameters;
        }
    }

    private void read(TensorView view, Slot slot) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            // the mapped file outlives this scope, and no tensor that looks into it leaves it
            view(slot.spec()).copy_(mapped(view));
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
