package dev.penjing.compression.repair;

import dev.penjing.compression.torch.Tensors;
import java.util.Optional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A matrix refitted to read fewer inputs: the one that comes closest to the targets in the mean
/// square, with a ridge that pulls to the sliced matrix.
///
/// With G the sum of `x x^T` over the kept inputs, C that of `y x^T`, D the diagonal of G and W the
/// sliced matrix, it is `(C + ridge W D) (G + ridge D)^-1`. The ridge is a share of each channel's
/// own energy: a few massive channels do not crush the others. An infinite ridge leaves W as it is.
final class LeastSquares {
    private LeastSquares() {}

    /// @param gramKK float64
    /// @param crossDK float64
    /// @param slicedDK float64
    /// @param ridge above 0
    /// @return float64 `[D, K]`; empty if the sums are not positive definite in float64
    static Optional<Tensor> solve(Tensor gramKK, Tensor crossDK, Tensor slicedDK, double ridge) {
        // in units in which every channel has the energy 1, so that float64 is enough
        Tensor energy = gramKK.diagonal();
        Tensor dead = energy.le(new Scalar(0.0));
        Tensor scaleK = energy.masked_fill(dead, new Scalar(1.0)).sqrt();
        Tensor system = gramKK.div(scaleK.unsqueeze(0)).div_(scaleK.unsqueeze(1));
        system.diagonal().fill_(new Scalar(1 + ridge));
        Tensor wanted =
                crossDK.div(scaleK.unsqueeze(0))
                        .add_(slicedDK.mul(scaleK.unsqueeze(0)), new Scalar(ridge));
        // what never says anything keeps its weights
        Tensor unheard = slicedDK.mul(new Scalar(1 + ridge));
        wanted = torch.where(dead.unsqueeze(0), unheard, wanted);
        org.bytedeco.pytorch.T_TensorTensor_T factor = torch.linalg_cholesky_ex(system);
        if (factor.get1().item_int() != 0) {
            return Optional.empty();
        }
        Tensor solved = torch.cholesky_solve(wanted.t(), factor.get0()).t();
        return Optional.of(solved.div(scaleK.unsqueeze(0)).contiguous());
    }

    /// Indices as libtorch takes them.
    static Tensor indices(int[] indices) {
        return Tensors.ids(indices, 1, indices.length).view(-1);
    }
}
