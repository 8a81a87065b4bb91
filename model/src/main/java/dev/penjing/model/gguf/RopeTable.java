package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Rope;

/// Llama 3's scaling of rotary positions as GGUF has it: not as settings but as the tensor
/// `rope_freqs.weight`, by which the frequency of each pair of a head's dimensions is divided.
final class RopeTable {
    static final String NAME = "rope_freqs.weight";

    /// Of all models so far (Llama 3.1, 3.2, 3.3 and what was made of them).
    private static final int LOW = 1;

    private static final int HIGH = 4;

    private RopeTable() {}

    /// @return divisors of all frequencies, 1 where nothing is scaled
    static float[] of(Rope rope, int headDim) {
        double[] plain =
                new Rope(rope.theta(), rope.fraction(), new Rope.Scaling.None())
                        .frequencies(headDim);
        double[] scaled = rope.frequencies(headDim);
        float[] table = new float[plain.length];
        for (int i = 0; i < table.length; i++) {
            table[i] = (float) (plain[i] / scaled[i]);
        }
        return table;
    }

    /// The settings from which a table was made. The factor is its largest entry, and the context
    /// that was trained on first a power of two for which all entries come out.
    ///
    /// @throws PenjingException if there is none
    static Rope.Scaling.Llama3 scaling(float[] table, double theta) {
        float factor = 1;
        for (float entry : table) {
            factor = Math.max(factor, entry);
        }
        for (int context = 1 << 20; context >= 256; context /= 2) {
            var scaling = new Rope.Scaling.Llama3(factor, LOW, HIGH, context);
            if (equal(table, of(new Rope(theta, scaling), 2 * table.length))) {
                return scaling;
            }
        }
        throw new PenjingException(
                "the GGUF file scales its rotary positions by a table that is not Llama 3's:"
                        + " use the model's own safetensors instead");
    }

    private static boolean equal(float[] a, float[] b) {
        for (int i = 0; i < a.length; i++) {
            if (!(Math.abs(a[i] - b[i]) <= 1e-3 * b[i])) {
                return false;
            }
        }
        return true;
    }
}
