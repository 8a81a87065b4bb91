package dev.penjing.compression.repair;

import dev.penjing.compression.torch.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Chooses which inputs of a matrix W to keep so that least squares can make good the most (optimal
/// brain surgeon, Hassibi and Stork 1993): with H the sum of `x x^T`, removing a unit R costs
/// `tr(W_R ([H^-1]_RR)^-1 W_R^T)` after everything else has been refitted. The cheapest go first, a
/// few at a time, and H^-1 and W are brought down to what is left after each step: scores that are
/// taken once are worse than plain energy.
final class BrainSurgeon {
    /// Added to the diagonal of H, as a share of each channel's own energy.
    private static final double DAMPING = 0.01;

    /// One step removes one in so many of those that are left.
    private static final int STEP = 128;

    private final int unit;
    private final int perGroup;
    private Tensor inverse;
    private Tensor weight;

    /// The units that are left.
    private int[] left;

    private BrainSurgeon(Tensor inverse, Tensor weight, int units, int unit, int groups) {
        this.inverse = Tensors.keep(inverse);
        this.weight = Tensors.keep(weight);
        this.unit = unit;
        this.perGroup = units / groups;
        this.left = IntStream.range(0, units).toArray();
    }

    /// The units to keep, ascending.
    ///
    /// @param gramFF float64
    /// @param weightDF float64
    /// @param unit inputs that go together: 1 for neurons, the head dimension for heads
    /// @param groups of neighbouring units, of which each keeps as many
    /// @param keep in all
    static int[] keep(Tensor gramFF, Tensor weightDF, int unit, int groups, int keep) {
        int units = Math.toIntExact(gramFF.size(0)) / unit;
        try (PointerScope scope = new PointerScope()) {
            Tensor damped = gramFF.clone();
            Tensor energy = gramFF.diagonal().mul(new Scalar(1 + DAMPING));
            // an input that is never there costs nothing
            double least = Math.max(energy.max().item_double() * 1e-12, Double.MIN_NORMAL);
            damped.diagonal().copy_(energy.clamp_min(new Scalar(least)));
            Tensor inverse = torch.cholesky_inverse(torch.linalg_cholesky(damped));
            BrainSurgeon surgeon = new BrainSurgeon(inverse, weightDF, units, unit, groups);
            try {
                while (surgeon.left.length > keep) {
                    surgeon.remove(keep / groups);
                }
                return surgeon.left;
            } finally {
                Tensors.release(surgeon.inverse);
                Tensors.release(surgeon.weight);
            }
        }
    }

    /// @param keepPerGroup units that stay of each group
    private void remove(int keepPerGroup) {
        double[] costs = costs();
        int most = Math.max(1, left.length / STEP);
        Integer[] order = IntStream.range(0, left.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> costs[i]));
        int[] size = new int[left[left.length - 1] / perGroup + 1];
        for (int u : left) {
            size[u / perGroup]++;
        }
        List<Integer> chosen = new ArrayList<>();
        for (int i : order) {
            int group = left[i] / perGroup;
            if (chosen.size() < most && size[group] > keepPerGroup) {
                size[group]--;
                chosen.add(i);
            }
        }
        downdate(chosen);
    }

    /// What each unit costs.
    private double[] costs() {
        try (PointerScope scope = new PointerScope()) {
            if (unit == 1) {
                Tensor costs = weight.square().sum(0).div(inverse.diagonal());
                return doubles(costs);
            }
            double[] costs = new double[left.length];
            for (int i = 0; i < costs.length; i++) {
                Tensor block = inverse.narrow(0, (long) i * unit, unit);
                Tensor own = block.narrow(1, (long) i * unit, unit);
                Tensor w = weight.narrow(1, (long) i * unit, unit);
                Tensor factor = torch.linalg_cholesky(own);
                costs[i] = torch.cholesky_solve(w.t(), factor).mul(w.t()).sum().item_double();
            }
            return costs;
        }
    }

    private static double[] doubles(Tensor tensor) {
        float[] floats = Tensors.floats(tensor);
        double[] wide = new double[floats.length];
        Arrays.setAll(wide, i -> floats[i]);
        return wide;
    }

    /// Removes units: `W -= W_R M P^T` and `H^-1 -= P M P^T`, with P = [H^-1]_:R and M =
    /// ([H^-1]_RR)^-1.
    private void downdate(List<Integer> chosen) {
        boolean[] gone = new boolean[left.length];
        chosen.forEach(i -> gone[i] = true);
        int[] stays = IntStream.range(0, left.length).filter(i -> !gone[i]).toArray();
        int[] goes = IntStream.range(0, left.length).filter(i -> gone[i]).toArray();
        inverseAndWeight(columns(stays), columns(goes));
        left = Arrays.stream(stays).map(i -> left[i]).toArray();
    }

    private void inverseAndWeight(int[] stays, int[] goes) {
        Tensor newInverse;
        Tensor newWeight;
        try (PointerScope scope = new PointerScope()) {
            Tensor s = LeastSquares.indices(stays);
            Tensor r = LeastSquares.indices(goes);
            Tensor columnsSR = inverse.index_select(1, r);
            Tensor ownRR = columnsSR.index_select(0, r);
            Tensor keptSR = columnsSR.index_select(0, s);
            Tensor factor = torch.linalg_cholesky(ownRR);
            Tensor solvedRS = torch.cholesky_solve(keptSR.t(), factor);
            newInverse = inverse.index_select(0, s).index_select(1, s);
            newInverse.sub_(torch.matmul(keptSR, solvedRS));
            newWeight = weight.index_select(1, s);
            newWeight.sub_(torch.matmul(weight.index_select(1, r), solvedRS));
            Tensors.keep(newInverse);
            Tensors.keep(newWeight);
        }
        Tensors.release(inverse);
        Tensors.release(weight);
        inverse = newInverse;
        weight = newWeight;
    }

    private int[] columns(int[] units) {
        return Arrays.stream(units)
                .flatMap(u -> IntStream.range(u * unit, (u + 1) * unit))
                .toArray();
    }
}
