package dev.penjing.inference;

import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Path;

/// A decoder in plain double arithmetic, written as the papers have it.
final class FloatReference {
    private final Checkpoint checkpoint;
    private final ModelConfig config;

    private FloatReference(Checkpoint checkpoint, ModelConfig config) {
        this.checkpoint = checkpoint;
        this.config = config;
    }

    static float[] logProbabilities(Path directory, int[] ids) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
            return new FloatReference(checkpoint, config).run(ids);
        }
    }

    private double[] times(String name, double[] x) {
        float[] w = checkpoint.tensor(name + ".weight").toFloats();
        int rows = w.length / x.length;
        double[] y = new double[rows];
        float[] bias =
                checkpoint.names().contains(name + ".bias")
                        ? checkpoint.tensor(name + ".bias").toFloats()
                        : new float[rows];
        for (int r = 0; r < rows; r++) {
            y[r] = bias[r];
            for (int i = 0; i < x.length; i++) {
                y[r] += w[r * x.length + i] * x[i];
            }
        }
        return y;
    }

    private double[] norm(String name, double[] x) {
        float[] w = checkpoint.tensor(name + ".weight").toFloats();
        double sum = 0;
        for (double v : x) {
            sum += v * v;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            y[i] = x[i] / Math.sqrt(sum / x.length + config.norm().epsilon()) * w[i];
        }
        return y;
    }

    private void rotate(double[] x, int position) {
        int dim = config.headDim();
        double[] frequencies = config.rope().frequencies(dim);
        for (int head = 0; head < x.length; head += dim) {
            for (int i = 0; i < dim / 2; i++) {
                double cos = Math.cos(position * frequencies[i]);
                double sin = Math.sin(position * frequencies[i]);
                double a = x[head + i];
                double b = x[head + i + dim / 2];
                x[head + i] = a * cos - b * sin;
                x[head + i + dim / 2] = b * cos + a * sin;
            }
        }
    }

    private float[] run(int[] ids) {
        int hidden = config.hiddenSize();
        float[] embedding = checkpoint.tensor("model.embed_tokens.weight").toFloats();
        double[][] x = new double[ids.length][hidden];
        for (int t = 0; t < ids.length; t++) {
            for (int i = 0; i < hidden; i++) {
                x[t][i] = embedding[ids[t] * hidden + i];
            }
        }
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            attention(x, "model.layers." + layer + ".");
            mlp(x, "model.layers." + layer + ".");
        }
        float[] result = new float[ids.length - 1];
        for (int t = 0; t + 1 < ids.length; t++) {
            String head = config.tieWordEmbeddings() ? "model.embed_tokens" : "lm_head";
            double[] logits = times(head, norm("model.norm", x[t]));
            double sum = 0;
            for (double logit : logits) {
                sum += Math.exp(logit);
            }
            result[t] = (float) (logits[ids[t + 1]] - Math.log(sum));
        }
        return result;
    }

    private void attention(double[][] x, String at) {
        int dim = config.headDim();
        int groups = config.numAttentionHeads() / config.numKeyValueHeads();
        double[][] q = new double[x.length][];
        double[][] k = new double[x.length][];
        double[][] v = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] n = norm(at + "input_layernorm", x[t]);
            q[t] = times(at + "self_attn.q_proj", n);
            k[t] = times(at + "self_attn.k_proj", n);
            v[t] = times(at + "self_attn.v_proj", n);
            rotate(q[t], t);
            rotate(k[t], t);
        }
        for (int t = 0; t < x.length; t++) {
            double[] mixed = new double[q[t].length];
            for (int head = 0; head < config.numAttentionHeads(); head++) {
                double[] weights = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    double dot = 0;
                    for (int i = 0; i < dim; i++) {
                        dot += q[t][head * dim + i] * k[s][head / groups * dim + i];
                    }
                    weights[s] = Math.exp(dot / Math.sqrt(dim));
                    sum += weights[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < dim; i++) {
                        mixed[head * dim + i] += weights[s] / sum * v[s][head / groups * dim + i];
                    }
                }
            }
            add(x[t], times(at + "self_attn.o_proj", mixed));
        }
    }

    private void mlp(double[][] x, String at) {
        for (double[] row : x) {
            double[] n = norm(at + "post_attention_layernorm", row);
            double[] gate = times(at + "mlp.gate_proj", n);
            double[] up = times(at + "mlp.up_proj", n);
            for (int i = 0; i < gate.length; i++) {
                gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
            }
            add(row, times(at + "mlp.down_proj", gate));
        }
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }
}
