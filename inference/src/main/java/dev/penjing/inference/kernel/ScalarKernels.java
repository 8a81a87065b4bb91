package dev.penjing.inference.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Collection;

/// The same sums in plain Java: what the vector kernels are held against, and what runs without the
/// Vector API, slowly.
public final class ScalarKernels implements Kernels {
    private final int lanes;

    public ScalarKernels(int lanes) {
        this.lanes = lanes;
    }

    @Override
    public String describe() {
        return "plain Java, SLOW: start the JVM with the module jdk.incubator.vector";
    }

    @Override
    public Activations activations(
            int maxRows, int columns, Collection<PackedMatrix> by, SegmentAllocator memory) {
        return new ByteActivations(maxRows, columns, memory);
    }

    @Override
    public int lanes() {
        return lanes;
    }

    @Override
    public void product(
            PackedMatrix w,
            Activations x,
            float[] y,
            int yAt,
            int stride,
            int from,
            int to,
            boolean add,
            Scratch scratch) {
        Block block = new Block();
        int[] numbers = new int[PackedMatrix.UNIT];
        byte[] quants = new byte[PackedMatrix.UNIT];
        WeightFormat format = w.format();
        int parts = format.scales().parts();
        int columns = PackedMatrix.UNIT / parts;
        for (int row = from; row < to; row++) {
            for (int t = 0; t < x.rows() && !add; t++) {
                y[yAt + t * stride + row] = 0;
            }
            for (int b = 0; b < w.blocks(); b++) {
                w.get(row, b, block);
                for (int i = 0; i < PackedMatrix.UNIT; i++) {
                    numbers[i] = format.number(block.code(i));
                }
                for (int t = 0; t < x.rows(); t++) {
                    x.get(t, b, quants);
                    int at = yAt + t * stride + row;
                    float scale = x.scale(t, b);
                    for (int part = 0; part < parts; part++) {
                        int dot = 0;
                        for (int i = part * columns; i < (part + 1) * columns; i++) {
                            dot += numbers[i] * quants[i];
                        }
                        y[at] = Math.fma((float) dot, block.scale(part) * scale, y[at]);
                    }
                    if (format.scales().minimum()) {
                        float eight = -8f * x.sum(t, b) * scale;
                        y[at] = Math.fma(eight, block.minimum() / 8, y[at]);
                    }
                }
            }
        }
    }

    @Override
    public void quantize(
            float[] x, int at, int from, int to, Activations out, int row, Scratch scratch) {
        for (int column = from; column < to; column += PackedMatrix.UNIT) {
            float largest = 0;
            for (int i = 0; i < PackedMatrix.UNIT; i++) {
                largest = Math.max(largest, Math.abs(x[at + column + i]));
            }
            float scale = largest / 127;
            float inverse = largest < SMALLEST ? 0 : 127 / largest;
            for (int i = 0; i < PackedMatrix.UNIT; i++) {
                scratch.quants[i] = (int) Math.rint(x[at + column + i] * inverse);
            }
            out.set(row, column / PackedMatrix.UNIT, scratch.quants, scale);
        }
    }

    @Override
    public void rmsNorm(float[] x, int at, float[] weight, int size, float epsilon, float[] out) {
        float sum = 0;
        for (int i = 0; i < size; i++) {
            sum += x[at + i] * x[at + i];
        }
        float factor = (float) (1 / Math.sqrt(sum / size + epsilon));
        for (int i = 0; i < size; i++) {
            out[i] = x[at + i] * factor * weight[i];
        }
    }

    @Override
    public void siluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        for (int i = 0; i < count; i++) {
            float z = gate[gateAt + i];
            gate[gateAt + i] = (float) (z / (1 + Math.exp(-z))) * up[upAt + i];
        }
    }

    @Override
    public void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int count) {
        for (int i = 0; i < count; i++) {
            double z = gate[gateAt + i];
            double y = Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z);
            gate[gateAt + i] = (float) (z / (1 + Math.exp(-2 * y))) * up[upAt + i];
        }
    }

    @Override
    public void scores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt) {
        for (int t = 0; t < KEY_TILE; t++) {
            float sum = 0;
            for (int d = 0; d < headDim; d++) {
                sum += q[qAt + d] * half(keys, at + 2L * (d * KEY_TILE + t));
            }
            scores[scoresAt + t] = sum * scale;
        }
    }

    @Override
    public void mix(
            float[] weights,
            int weightsAt,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        for (int t = 0; t < count; t++) {
            for (int d = 0; d < headDim; d++) {
                out[outAt + d] +=
                        weights[weightsAt + t] * half(values, at + 2L * (t * headDim + d));
            }
        }
    }

    @Override
    public void fourScores(
            float[] q,
            int qAt,
            int headDim,
            MemorySegment keys,
            long at,
            float scale,
            float[] scores,
            int scoresAt,
            int stride) {
        for (int i = 0; i < 4; i++) {
            int from = qAt + i * headDim;
            scores(q, from, headDim, keys, at, scale, scores, scoresAt + i * stride);
        }
    }

    @Override
    public void fourMixes(
            float[] weights,
            int weightsAt,
            int stride,
            int count,
            MemorySegment values,
            long at,
            int headDim,
            float[] out,
            int outAt) {
        for (int i = 0; i < 4; i++) {
            int from = weightsAt + i * stride;
            mix(weights, from, count, values, at, headDim, out, outAt + i * headDim);
        }
    }

    @Override
    public void softmax(float[] scores, int at, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, scores[at + i]);
        }
        float sum = 0;
        for (int i = 0; i < count; i++) {
            scores[at + i] = (float) Math.exp(scores[at + i] - largest);
            sum += scores[at + i];
        }
        for (int i = 0; i < count; i++) {
            scores[at + i] /= sum;
        }
    }

    @Override
    public double logSumExp(float[] x, int at, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, x[at + i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(x[at + i] - largest);
        }
        return largest + Math.log(sum);
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(PackedMatrix.SHORT, at));
    }
}
