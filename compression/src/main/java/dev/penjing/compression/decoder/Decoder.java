package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// The pre-norm decoder that Llama, Mistral and what pruning makes of them share, on libtorch.
///
/// Letters in the names of tensors: B batch, L positions, N = B * L, D hidden size, F intermediate
/// size, H attention heads, K key-value heads, G = H / K, E head dimension, V vocabulary. H * E
/// need not be D.
///
/// A forward pass allocates in the caller's `PointerScope`. Gradients flow to the leaves that were
/// given, where they ask for them.
public final class Decoder implements AutoCloseable {
    private static final TensorOptional NO_BIAS = new TensorOptional();

    /// Rows that are cheaper one by one than as a matrix, if the weights stay in the cache
    /// meanwhile: [#CACHED_WEIGHTS] elements at most.
    private static final int FEW_ROWS = 4;

    private static final int CACHED_WEIGHTS = 4 << 20;

    private final ModelConfig config;
    private final Compute compute;
    private final Weights weights;
    private final Attention attention;

    public Decoder(ModelConfig config, Parameters parameters, Compute compute) {
        this(config, compute, Weights.of(config, parameters, Optional.empty()));
    }

    /// A decoder whose weights collect gradients in `gradients`, laid out as the parameters are.
    public static Decoder trainable(
            ModelConfig config, Parameters parameters, Parameters gradients, Compute compute) {
        return new Decoder(config, compute, Weights.of(config, parameters, Optional.of(gradients)));
    }

    private Decoder(ModelConfig config, Compute compute, Weights weights) {
        this.config = config;
        this.compute = compute;
        this.weights = weights;
        this.attention = new Attention(config, compute);
    }

    public ModelConfig config() {
        return config;
    }

    public Compute compute() {
        return compute;
    }

    /// The matrix `[V, D]` that turns hidden states into logits; never asks for a gradient.
    public Tensor head() {
        return weights.head();
    }

    /// Hidden states after the final norm, `[N, D]`, of the embeddings `embeddedBLD`; each row is a
    /// whole sequence.
    public Tensor hidden(Tensor embeddedBLD) {
        return hidden(embeddedBLD, Optional.empty(), Optional.empty());
    }

    /// The same, and the probe sees what comes about on the way.
    public Tensor hidden(Tensor embeddedBLD, Probe probe) {
        return hidden(embeddedBLD, Optional.of(probe), Optional.empty());
    }

    /// The same of rows that see more than themselves.
    Tensor hidden(Tensor embeddedBLD, Pass pass) {
        return hidden(embeddedBLD, Optional.empty(), Optional.of(pass));
    }

    private Tensor hidden(Tensor embeddedBLD, Optional<Probe> probe, Optional<Pass> pass) {
        long batch = embeddedBLD.size(0);
        long length = embeddedBLD.size(1);
        Tensor xND = embeddedBLD.view(-1, config.hiddenSize());
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            int layer = i;
            Tensor inND = xND;
            // where gradients are wanted, the graph keeps what it needs of what the layer made
            xND = Tensors.scoped(() -> layer(layer, inND, batch, length, probe, pass));
            if (probe.isPresent()) {
                probe.get().layer(layer, inND, xND);
            }
        }
        return norm(xND, weights.norm());
    }

    /// Rotations to positions, for a [Pass].
    ///
    /// @param positions of `rows` rows
    Rotary.Turns turns(int[] positions, int rows) {
        return attention.rotary().at(positions, rows);
    }

    /// Embeddings of `idsBL` (int64), `[B, L, D]`, without gradient.
    public Tensor embed(Tensor idsBL) {
        return torch.embedding(weights.embedding(), idsBL);
    }

    /// Logits of hidden states, in the computing type.
    public Tensor logits(Tensor hiddenND) {
        return linear(hiddenND, weights.head(), NO_BIAS);
    }

    private Tensor layer(
            int index,
            Tensor xND,
            long batch,
            long length,
            Optional<Probe> probe,
            Optional<Pass> pass) {
        Weights.Layer w = weights.layers().get(index);
        Tensor normed = norm(xND, w.inputNorm());
        probe.ifPresent(p -> p.norm(index, false, normed));
        Tensor qkv = linear(normed, w.qkv(), w.qkvBias());
        Tensor heads =
                pass.isPresent()
                        ? attention.forward(qkv, batch, length, index, pass.get())
                        : attention.forward(qkv, batch, length);
        probe.ifPresent(p -> p.heads(index, heads));
        Tensor middleND = xND.add(linear(heads, w.o(), w.oBias()));

        Tensor normed2 = norm(middleND, w.postNorm());
        probe.ifPresent(p -> p.norm(index, true, normed2));
        TensorVector gateUp =
                linear(normed2, w.gateUp(), NO_BIAS).split(config.intermediateSize(), -1);
        Tensor activation =
                switch (config.mlp()) {
                    case Mlp.GatedSilu silu -> torch.silu(gateUp.get(0)).mul(gateUp.get(1));
                };
        probe.ifPresent(p -> p.neurons(index, activation));
        return middleND.add(linear(activation, w.down(), NO_BIAS));
    }

    /// `x w^T + bias`. For few rows of float32 on the CPU the library's matrix product spends most
    /// of its time on rearranging the weights: products of matrix and vector do not.
    private Tensor linear(Tensor xNI, Tensor wOI, TensorOptional bias) {
        long rows = xNI.size(0);
        long few = wOI.numel() <= CACHED_WEIGHTS ? FEW_ROWS : 1;
        if (compute.onCpu() && !compute.reduced() && rows <= few) {
            TensorVector products = new TensorVector();
            for (int row = 0; row < rows; row++) {
                products.push_back(torch.mv(wOI, xNI.select(0, row)));
            }
            Tensor productNO = torch.stack(products);
            return bias.has_value() ? productNO.add(bias.get()) : productNO;
        }
        return bias.has_value() ? torch.linear(xNI, wOI, bias) : torch.matmul(xNI, wOI.t());
    }

    private Tensor norm(Tensor xND, Tensor weightD) {
        return switch (config.norm()) {
            case Norm.Rms rms ->
                    torch.rms_norm(
                            xND,
                            new long[] {config.hiddenSize()},
                            new TensorOptional(weightD),
                            new DoubleOptional(rms.epsilon()));
        };
    }

    @Override
    public void close() {
        weights.close();
        attention.close();
    }

    /// The weights as the forward pass multiplies them: views into the flat parameters.
    private record Weights(
            Tensor embedding, Tensor head, Tensor norm, List<Layer> layers, PointerScope owner)
            implements AutoCloseable {
        record Layer(
                Tensor inputNorm,
                Tensor qkv,
                TensorOptional qkvBias,
                Tensor o,
                TensorOptional oBias,
                Tensor postNorm,
                Tensor gateUp,
                Tensor down) {}

        static Weights of(
                ModelConfig config, Parameters parameters, Optional<Parameters> gradients) {
            try (PointerScope owner = new PointerScope()) {
                List<Layer> layers = new ArrayList<>();
                for (int i = 0; i < config.numHiddenLayers(); i++) {
                    String at = "model.layers." + i + ".";
                    String self = at + "self_attn.";
                    layers.add(
                            new Layer(
                                    leaf(parameters, gradients, at + "input_layernorm.weight"),
                                    leaf(
                                            parameters,
                                            gradients,
                                            self + "q_proj.weight",
                                            self + "v_proj.weight"),
                                    bias(
                                            parameters,
                                            gradients,
                                            self + "q_proj.bias",
                                            self + "v_proj.bias"),
                                    leaf(parameters, gradients, self + "o_proj.weight"),
                                    bias(
                                            parameters,
                                            gradients,
                                            self + "o_proj.bias",
                                            self + "o_proj.bias"),
                                    leaf(
                                            parameters,
                                            gradients,
                                            at + "post_attention_layernorm.weight"),
                                    leaf(
                                            parameters,
                                            gradients,
                                            at + "mlp.gate_proj.weight",
                                            at + "mlp.up_proj.weight"),
                                    leaf(parameters, gradients, at + "mlp.down_proj.weight")));
                }
                Tensor embedding = parameters.view("model.embed_tokens.weight");
                Tensor head =
                        config.tieWordEmbeddings() ? embedding : parameters.view("lm_head.weight");
                Tensor norm = leaf(parameters, gradients, "model.norm.weight");
                owner.extend();
                return new Weights(embedding, head, norm, layers, owner);
            }
        }

        private static Tensor leaf(
                Parameters parameters, Optional<Parameters> gradients, String name) {
            return leaf(parameters, gradients, name, name);
        }

        private static Tensor leaf(
                Parameters parameters, Optional<Parameters> gradients, String first, String last) {
            Tensor view = parameters.rows(first, last).detach();
            gradients.ifPresent(g -> {
                view.set_requires_grad(true);
                view.mutable_grad().put(g.rows(first, last));
            });
            return view;
        }

        private static TensorOptional bias(
                Parameters parameters, Optional<Parameters> gradients, String first, String last) {
            return parameters.layout().contains(first)
                    ? new TensorOptional(leaf(parameters, gradients, first, last))
                    : new TensorOptional();
        }

        @Override
        public void close() {
            owner.close();
        }
    }
}
