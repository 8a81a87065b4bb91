package dev.penjing.inference;

import dev.penjing.model.architecture.LayerAttention;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import dev.penjing.model.architecture.Rope;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.Checkpoint;
import java.nio.file.Path;
import java.util.Arrays;

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
        TensorSpec spec =
                config.tensors().stream()
                        .filter(t -> t.name().equals(name + ".weight"))
                        .findFirst()
                        .orElseThrow();
        float[] w = checkpoint.tensor(spec).toFloats();
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

    private boolean has(String name) {
        return checkpoint.names().contains(name + ".weight");
    }

    /// In parts as long as the norm's weight; the numbers as they are where there is no norm.
    private double[] norm(String name, double[] x) {
        if (!has(name)) {
            return x;
        }
        float[] w = checkpoint.tensor(name + ".weight").toFloats();
        float[] bias =
                checkpoint.names().contains(name + ".bias")
                        ? checkpoint.tensor(name + ".bias").toFloats()
                        : new float[w.length];
        double[] y = new double[x.length];
        for (int at = 0; at < x.length; at += w.length) {
            double[] part = Arrays.copyOfRange(x, at, at + w.length);
            double mean =
                    config.norm() instanceof Norm.Layer
                            ? Arrays.stream(part).average().orElseThrow()
                            : 0;
            double variance = 0;
            for (double v : part) {
                variance += (v - mean) * (v - mean) / part.length;
            }
            double root = Math.sqrt(variance + config.norm().epsilon());
            for (int i = 0; i < part.length; i++) {
                y[at + i] = (part[i] - mean) / root * (w[i] + config.norm().plus()) + bias[i];
            }
        }
        return y;
    }

    private void rotate(Rope rope, double[] x, int position) {
        int dim = config.headDim();
        double[] frequencies = rope.frequencies(dim);
        int half = frequencies.length;
        for (int head = 0; head < x.length; head += dim) {
            for (int i = 0; i < half; i++) {
                double cos = rope.magnitude() * Math.cos(position * frequencies[i]);
                double sin = rope.magnitude() * Math.sin(position * frequencies[i]);
                double a = x[head + i];
                double b = x[head + i + half];
                x[head + i] = a * cos - b * sin;
                x[head + i + half] = b * cos + a * sin;
            }
        }
    }

    private float[] run(int[] ids) {
        int hidden = config.hiddenSize();
        float[] embedding = checkpoint.tensor("model.embed_tokens.weight").toFloats();
        double[][] x = new double[ids.length][hidden];
        for (int t = 0; t < ids.length; t++) {
            for (int i = 0; i < hidden; i++) {
                x[t][i] = embedding[ids[t] * hidden + i] * config.multipliers().embedding();
            }
        }
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            attention(x, config.attention().get(layer), "model.layers." + layer + ".");
            mlp(x, "model.layers." + layer + ".");
        }
        float[] result = new float[ids.length - 1];
        for (int t = 0; t + 1 < ids.length; t++) {
            String head = config.tieWordEmbeddings() ? "model.embed_tokens" : "lm_head";
            double[] logits = times(head, norm("model.norm", x[t]));
            double sum = 0;
            for (int v = 0; v < logits.length; v++) {
                logits[v] *= config.multipliers().logits();
                sum += Math.exp(logits[v]);
            }
            result[t] = (float) (logits[ids[t + 1]] - Math.log(sum));
        }
        return result;
    }

    private void attention(double[][] x, LayerAttention kind, String at) {
        int dim = config.headDim();
        int groups = config.numAttentionHeads() / config.numKeyValueHeads();
        double[][] q = new double[x.length][];
        double[][] k = new double[x.length][];
        double[][] v = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] n = norm(at + "input_layernorm", x[t]);
            q[t] = norm(at + "self_attn.q_norm", times(at + "self_attn.q_proj", n));
            k[t] = norm(at + "self_attn.k_norm", times(at + "self_attn.k_proj", n));
            v[t] = times(at + "self_attn.v_proj", n);
            rotate(kind.rope(), q[t], t);
            rotate(kind.rope(), k[t], t);
        }
        for (int t = 0; t < x.length; t++) {
            double[] mixed = new double[q[t].length];
            for (int head = 0; head < config.numAttentionHeads(); head++) {
                double[] weights = new double[t + 1];
                double sum = 0;
                int first = Math.max(0, t + 1 - kind.window().orElse(t + 1));
                for (int s = first; s <= t; s++) {
                    double dot = 0;
                    for (int i = 0; i < dim; i++) {
                        dot += q[t][head * dim + i] * k[s][head / groups * dim + i];
                    }
                    weights[s] = Math.exp(dot * config.multipliers().attention());
                    sum += weights[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < dim; i++) {
                        mixed[head * dim + i] += weights[s] / sum * v[s][head / groups * dim + i];
                    }
                }
            }
            add(x[t], after(at, "attention", times(at + "self_attn.o_proj", mixed)));
        }
    }

    /// Families with norms behind attention and MLP call what stands before the MLP otherwise.
    private double[] after(String at, String what, double[] x) {
        boolean normed = has(at + "post_feedforward_layernorm");
        return normed ? norm(at + "post_" + what + "_layernorm", x) : x;
    }

    private void mlp(double[][] x, String at) {
        String before =
                has(at + "post_feedforward_layernorm")
                        ? "pre_feedforward_layernorm"
                        : "post_attention_layernorm";
        for (double[] row : x) {
            double[] n = norm(at + before, row);
            double[] up = times(at + "mlp.up_proj", n);
            double[] gate = config.mlp().gated() ? times(at + "mlp.gate_proj", n) : up;
            for (int i = 0; i < up.length; i++) {
                double z = gate[i];
                up[i] =
                        switch (config.mlp()) {
                            case Mlp.GatedSilu _ -> z / (1 + Math.exp(-z)) * up[i];
                            case Mlp.GatedGelu _ -> {
                                double y = Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z);
                                yield z / 2 * (1 + Math.tanh(y)) * up[i];
                            }
                            case Mlp.SquaredRelu _ -> Math.pow(Math.max(0, z), 2);
                        };
            }
            add(row, after(at, "feedforward", times(at + "mlp.down_proj", up)));
        }
    }

    private void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += config.multipliers().residual() * y[i];
        }
    }
}
