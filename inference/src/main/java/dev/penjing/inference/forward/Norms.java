package dev.penjing.inference.forward;

import dev.penjing.inference.kernel.Kernels;
import dev.penjing.inference.kernel.Scratch;
import dev.penjing.model.architecture.Norm;

/// The norms of a decoder, on rows of numbers.
record Norms(Norm norm, Kernels kernels) {
    /// A norm of the `size` numbers from `at` on, or these as they are where there is none.
    void apply(PackedWeights.Gain gain, float[] x, int at, int size, float[] out) {
        if (gain.none()) {
            System.arraycopy(x, at, out, 0, size);
            return;
        }
        float epsilon = (float) norm.epsilon();
        switch (norm) {
            case Norm.Rms _ -> kernels.rmsNorm(x, at, gain.weight(), size, epsilon, out);
            case Norm.Layer _ -> {
                float mean = mean(x, at, size);
                for (int i = 0; i < size; i++) {
                    out[i] = x[at + i] - mean;
                }
                kernels.rmsNorm(out, 0, gain.weight(), size, epsilon, out);
            }
        }
        for (int i = 0; i < gain.bias().length; i++) {
            out[i] += gain.bias()[i];
        }
    }

    /// Normalises what stands from `from` to `to` in parts as long as the norm's weight, in place.
    void parts(PackedWeights.Gain gain, float[] x, int from, int to, Scratch scratch) {
        int size = gain.weight().length;
        float[] out = scratch.floats(size);
        for (int at = from; at < to; at += size) {
            apply(gain, x, at, size, out);
            System.arraycopy(out, 0, x, at, size);
        }
    }

    private static float mean(float[] x, int at, int size) {
        double sum = 0;
        for (int i = at; i < at + size; i++) {
            sum += x[i];
        }
        return (float) (sum / size);
    }
}
