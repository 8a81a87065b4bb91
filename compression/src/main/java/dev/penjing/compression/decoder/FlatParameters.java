package dev.penjing.compression.decoder;

import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.TensorView;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// All parameters of one decoder in a single flat tensor. Owns native memory until closed.
public final class FlatParameters implements AutoCloseable {
    private final ParameterLayout layout;
    private final Tensor flat;

    private FlatParameters(ParameterLayout layout, Tensor flat) {
        this.layout = layout;
        this.flat = Tensors.keep(flat);
    }

    /// FlatParameters that are all zero.
    public static FlatParameters zeros(ModelConfig config, Compute compute, ScalarType type) {
        try (PointerScope scope = new PointerScope()) {
            ParameterLayout layout = ParameterLayout.of(config);
            return new FlatParameters(layout, Tensors.zeros(compute.options(type), layout.size()));
        }
    }

    /// Reads a checkpoint, which is checked against `config` first, tensor by tensor.
    ///
    /// @throws PenjingException if a tensor is missing, left over, of the wrong
    ///   shape, all zero or not finite
    public static FlatParameters load(
            Path directory, ModelConfig config, Compute compute, ScalarType type) {
        try (Checkpoint checkpoint = Checkpoint.open(directory);
                Closer closer = new Closer()) {
            checkpoint.check(config);
            FlatParameters parameters =
                    closer.own(zeros(config, compute, type), FlatParameters::close);
            for (Slot slot : parameters.layout.slots().values()) {
                parameters.read(checkpoint.tensor(slot.name()), slot);
            }
            closer.keep();
            return parameters;
        }
    }

    private void read(TensorView view, Slot slot) {
        view.checkUsable();
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            // the mapped file outlives this scope, and no tensor that looks into it leaves it
            Tensor source =
                    torch.from_blob(
                            new Address(view.data().address()),
                            slot.shape(),
                            new TensorOptions(scalarType(view)));
            view(slot.name()).copy_(source);
        }
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

    /// One tensor by its checkpoint name, sharing memory with [#flat].
    public Tensor view(String name) {
        Slot slot = layout.slot(name);
        return flat.narrow(0, slot.offset(), slot.size()).view(slot.shape());
    }

    /// Matrices (or vectors) that are neighbours, as one of all their rows.
    Tensor rows(String first, String last) {
        Slot from = layout.slot(first);
        Slot to = layout.slot(last);
        long size = to.offset() + to.size() - from.offset();
        Tensor part = flat.narrow(0, from.offset(), size);
        return from.shape().length == 1 ? part : part.view(-1, from.shape()[1]);
    }

    @Override
    public void close() {
        Tensors.release(flat);
    }

    /// A native address that somebody else owns.
    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }
}
