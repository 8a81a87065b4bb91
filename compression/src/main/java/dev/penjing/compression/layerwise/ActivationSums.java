package dev.penjing.compression.layerwise;

import dev.penjing.compression.torch.Tensors;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Sums over tokens of what a matrix reads, x, and of what it should write, y: `x x^T`, `y x^T` and
/// `y^T y`, float64. They say everything that least squares asks. Owns native memory until closed.
public final class ActivationSums implements AutoCloseable {
    /// Columns whose products with all columns before them are made at once: the other half of a
    /// symmetric matrix is not computed.
    private static final long BLOCK = 256;

    private final Tensor gramFF;
    private final Tensor crossDF;
    private final long width;
    private double targetSquares;

    /// @param inputs F
    /// @param outputs D
    public ActivationSums(long inputs, long outputs) {
        this.width = inputs;
        TensorOptions doubles = new TensorOptions(ScalarType.Double);
        try (PointerScope scope = new PointerScope()) {
            gramFF = Tensors.keep(Tensors.zeros(doubles, inputs, inputs));
            crossDF = Tensors.keep(Tensors.zeros(doubles, outputs, inputs));
        }
    }

    /// Adds tokens.
    ///
    /// @param xNF float32
    /// @param yND float32; empty where [#targetsOf] says in the end what is wanted
    public void add(Tensor xNF, Optional<Tensor> yND) {
        try (PointerScope scope = new PointerScope()) {
            for (long from = 0; from < width; from += BLOCK) {
                long end = Math.min(from + BLOCK, width);
                Tensor product =
                        torch.matmul(xNF.narrow(1, from, end - from).t(), xNF.narrow(1, 0, end));
                gramFF.narrow(0, from, end - from).narrow(1, 0, end).add_(product.cpu());
            }
            if (yND.isPresent()) {
                crossDF.add_(torch.matmul(yND.get().t(), xNF).cpu());
                targetSquares += yND.get().square().sum().item_double();
            }
        }
    }

    /// Ends the summing.
    public void finish() {
        try (PointerScope scope = new PointerScope()) {
            gramFF.copy_(gramFF.tril().add_(gramFF.tril(-1).t()));
        }
    }

    /// Makes the targets what `weightDF` (float64) makes of all inputs, after [#finish].
    public void targetsOf(Tensor weightDF) {
        try (PointerScope scope = new PointerScope()) {
            crossDF.copy_(torch.matmul(weightDF, gramFF));
            targetSquares = crossDF.mul(weightDF).sum().item_double();
        }
    }

    /// `[F, F]`
    public Tensor gram() {
        return gramFF;
    }

    /// `[D, F]`
    public Tensor cross() {
        return crossDF;
    }

    /// The squared error of a matrix, as a share of the target's squares.
    ///
    /// @param weightDK float64; reads `columns` of the input
    public double error(Tensor weightDK, Tensor columns) {
        try (PointerScope scope = new PointerScope()) {
            Tensor cross = crossDF.index_select(1, columns);
            Tensor gram = gramFF.index_select(0, columns).index_select(1, columns);
            double both = torch.matmul(weightDK, gram).mul(weightDK).sum().item_double();
            double mixed = cross.mul(weightDK).sum().item_double();
            return targetSquares == 0 ? 0 : (targetSquares - 2 * mixed + both) / targetSquares;
        }
    }

    @Override
    public void close() {
        Tensors.release(gramFF);
        Tensors.release(crossDF);
    }
}
