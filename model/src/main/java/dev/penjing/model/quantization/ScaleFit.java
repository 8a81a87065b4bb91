package dev.penjing.model.quantization;

import java.util.function.DoubleUnaryOperator;

/// Searches for the scale of a few weights under which rounding them costs least. The cost is the
/// sum of w (x - what x becomes)^2, with a weight w of each column.
///
/// For codes q, the best scale is (sum of w x q) / (sum of w q^2), and best codes for a scale are
/// the nearest: a search starts from some scales around the largest weight's, rounds, and solves
/// (as ggml-quants.c does, with more starts and both signs).
final class ScaleFit {
    private static final int STARTS = 7;

    private ScaleFit() {}

    /// Codes are the whole numbers from -`levels` to `levels` - 1.
    ///
    /// @param x weights from `at` on, `count` of them
    /// @param w of columns, from `wAt` on
    /// @return zero if all are zero
    static float symmetric(float[] x, int at, int count, float[] w, int wAt, int levels) {
        return proportional(
                x, at, count, w, wAt, levels, v -> clamp(Math.rint(v), -levels, levels - 1));
    }

    /// Codes are the numbers of a table.
    static float table(float[] x, int at, int count, float[] w, int wAt) {
        return proportional(
                x,
                at,
                count,
                w,
                wAt,
                CodeTable.LARGEST,
                v -> CodeTable.number(CodeTable.nearest((float) v)));
    }

    /// @param largest number in size that a code stands for
    /// @param nearest of these numbers to any other
    private static float proportional(
            float[] x,
            int at,
            int count,
            float[] w,
            int wAt,
            int largest,
            DoubleUnaryOperator nearest) {
        float size = 0;
        for (int i = 0; i < count; i++) {
            size = Math.max(size, Math.abs(x[at + i]));
        }
        if (size == 0) {
            return 0;
        }
        double best = 0;
        double scale = 0;
        for (int start = -STARTS; start <= STARTS; start++) {
            for (int sign = -1; sign <= 1; sign += 2) {
                float inverse = sign * largest * (1 + start / 80f) / size;
                double xq = 0;
                double qq = 0;
                for (int i = 0; i < count; i++) {
                    double q = nearest.applyAsDouble(x[at + i] * inverse);
                    xq += w[wAt + i] * x[at + i] * q;
                    qq += w[wAt + i] * q * q;
                }
                // what this scale costs less than none
                double gain = qq > 0 ? xq * xq / qq : 0;
                if (gain > best) {
                    best = gain;
                    scale = xq / qq;
                }
            }
        }
        return (float) scale;
    }

    /// Codes are 0 to `levels`, and something is taken away.
    ///
    /// @param onlyAway whether what is taken away must not be negative
    /// @return scale, and what is taken away
    static float[] affine(
            float[] x, int at, int count, float[] w, int wAt, int levels, boolean onlyAway) {
        float least = Float.POSITIVE_INFINITY;
        float most = Float.NEGATIVE_INFINITY;
        double sw = 0;
        double sx = 0;
        for (int i = 0; i < count; i++) {
            least = Math.min(least, x[at + i]);
            most = Math.max(most, x[at + i]);
            sw += w[wAt + i];
            sx += w[wAt + i] * x[at + i];
        }
        least = onlyAway ? Math.min(least, 0) : least;
        if (most <= least) {
            return new float[] {0, -least};
        }
        double best = Double.POSITIVE_INFINITY;
        double scale = (most - least) / levels;
        double low = least;
        for (int start = -2 * STARTS; start <= 2 * STARTS; start++) {
            float inverse = (levels + 0.1f * start) / (most - least);
            double sq = 0;
            double sqq = 0;
            double sxq = 0;
            double sxx = 0;
            for (int i = 0; i < count; i++) {
                float v = x[at + i];
                float q = clamp(Math.rint((v - least) * inverse), 0, levels);
                sq += w[wAt + i] * q;
                sqq += w[wAt + i] * q * q;
                sxq += w[wAt + i] * v * q;
                sxx += w[wAt + i] * v * v;
            }
            double det = sw * sqq - sq * sq;
            if (det <= 0) {
                continue;
            }
            double s = (sw * sxq - sx * sq) / det;
            double m = (sqq * sx - sq * sxq) / det;
            if (onlyAway && m > 0) {
                m = 0;
                s = sxq / sqq;
            }
            double cost =
                    sxx - 2 * s * sxq - 2 * m * sx + s * s * sqq + 2 * s * m * sq + m * m * sw;
            if (cost < best && s > 0) {
                best = cost;
                scale = s;
                low = m;
            }
        }
        return new float[] {(float) scale, (float) -low};
    }

    static float clamp(double q, int least, int most) {
        return (float) Math.clamp(q, least, most);
    }
}
