package dev.penjing.model.gguf;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Rope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Scalings of rotary positions that GGUF has not as settings but as tensors, by which the
/// frequency of each pair of a head's dimensions is divided: Llama 3's, `rope_freqs.weight`, and
/// the two of LongRoPE.
final class RopeTable {
    static final String NAME = "rope_freqs.weight";
    static final String SHORT = "rope_factors_short.weight";
    static final String LONG = "rope_factors_long.weight";
    static final Set<String> NAMES = Set.of(NAME, SHORT, LONG);

    /// Of all models so far (Llama 3.1, 3.2, 3.3 and what was made of them).
    private static final int LOW = 1;

    private static final int HIGH = 4;

    private RopeTable() {}

    /// The tensors of a model, by name.
    static Map<String, float[]> tables(Rope rope, int headDim) {
        Map<String, float[]> tables = new LinkedHashMap<>();
        switch (rope.scaling()) {
            case Rope.Scaling.None n -> {}
            case Rope.Scaling.Linear linear -> {}
            case Rope.Scaling.Llama3 llama3 -> tables.put(NAME, of(rope, headDim));
            case Rope.Scaling.LongRope longRope -> {
                tables.put(LONG, floats(longRope.longFactors()));
                tables.put(SHORT, floats(longRope.shortFactors()));
            }
        }
        return tables;
    }

    private static float[] floats(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
    }

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
