package dev.penjing.model.quantization;

/// What is known of the inputs that a matrix reads: how much an error in a column costs, and how
/// other columns can make up for it.
public final class InputSums {
    private static final float[] NONE = new float[0];

    /// Of each column, the mean of the input's square; empty if nothing is known.
    private final float[] energy;

    /// [column][column behind it]: how much of an error there goes to those behind it; empty if
    /// that is not known.
    private final float[][] shares;

    private InputSums(float[] energy, float[][] shares) {
        this.energy = energy;
        this.shares = shares;
    }

    /// Nothing is known: large weights count more than small ones.
    public static InputSums unknown() {
        return new InputSums(NONE, new float[0][]);
    }

    /// An importance matrix, as llama.cpp's: mean squares of the inputs.
    public static InputSums ofEnergy(float[] energy) {
        return new InputSums(energy.clone(), new float[0][]);
    }

    /// @param energy mean squares of the inputs
    /// @param upper rows of the upper triangle U of a Cholesky factorisation U^T U of the inverse
    ///   of the sum of x x^T: row c has the columns from c on
    public static InputSums ofFactor(float[] energy, float[][] upper) {
        float[][] shares = new float[upper.length][];
        for (int c = 0; c < upper.length; c++) {
            shares[c] = new float[upper[c].length];
            for (int k = 1; k < upper[c].length; k++) {
                shares[c][k] = upper[c][k] / upper[c][0];
            }
        }
        return new InputSums(energy.clone(), shares);
    }

    /// What an error in each column of a row costs (the choice of llama.cpp: ggml-quants.c).
    float[] importance(float[] row) {
        double sum = 0;
        for (float x : row) {
            sum += x * x;
        }
        double mean = sum / row.length;
        float[] importance = new float[row.length];
        for (int i = 0; i < row.length; i++) {
            double by = energy.length == 0 ? 1 : energy[i];
            importance[i] = (float) (by * Math.sqrt(mean + row[i] * row[i])) + Float.MIN_NORMAL;
        }
        return importance;
    }

    /// Lets the columns behind one take up its error.
    void spread(float[] row, int column, float error) {
        if (shares.length == 0) {
            return;
        }
        float[] share = shares[column];
        for (int k = 1; k < share.length; k++) {
            row[column + k] -= error * share[k];
        }
    }
}
