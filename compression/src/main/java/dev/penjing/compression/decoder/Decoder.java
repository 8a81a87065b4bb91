package dev.penjing.compression.decoder;

import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.Mlp;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Norm;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// The pre-norm decoder of all families that Penjing knows and of what pruning makes of them, on
/// libtorch. It goes by the roles of the configuration's tensors; whatever a configuration may say
/// of norm and MLP is switched over here.
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
    private final CausalAttention attention;

    public Decoder(ModelConfig config, FlatParameters parameters, Compute compute) {
        this(config, compute, Weights.of(config, parameters, Optional.empty()));
    }

    /// A decoder whose weights collect gradients in `gradients`, laid out as the parameters are.
    public static Decoder trainable(
            ModelConfig config,
            FlatParameters parameters,
            FlatParameters gradients,
            Compute compute) {
        return new Decoder(config, compute, Weights.of(config, parameters, Optional.of(gradients)));
    }

    private Decoder(ModelConfig config, Compute compute, Weights weights) {
        this.config = config;
        this.compute = compute;
        try (Closer closer = new Closer()) {
            this.weights = closer.own(weights, Weights::close);
            this.attention = new CausalAttention(config, compute);
            closer.keep();
        }
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
        return hidden(embeddedBLD, Probe.NONE, attention);
    }

    /// The same, and the probe sees what comes about on the way.
    public Tensor hidden(Tensor embeddedBLD, Probe probe) {
        return hidden(embeddedBLD, probe, attention);
    }

    /// The same of rows that see what `context` holds beside themselves.
    public Tensor hidden(Tensor embeddedBLD, ForwardContext context) {
        return hidden(embeddedBLD, Probe.NONE, context);
    }

    private Tensor hidden(Tensor embeddedBLD, Probe probe, ForwardContext context) {
        long batch = embeddedBLD.size(0);
        long length = embeddedBLD.size(1);
        Tensor xND = embeddedBLD.view(-1, config.hiddenSize());
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            int layer = i;
            Tensor inND = xND;
            // where gradients are wanted, the graph keeps what it needs of what the layer made
            xND = Tensors.scoped(() -> layer(layer, inND, batch, length, probe, context));
            probe.layer(layer, inND, xND);
        }
        return norm(xND, weights.norm());
    }

    /// The rotary embedding of rows whose tokens stand at any positions, for a [ForwardContext].
    ///
    /// @param positions of `rows` rows
    public RotaryEmbedding.Rotation rotation(int[] positions, int rows) {
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
            int index, Tensor xND, long batch, long length, Probe probe, ForwardContext context) {
        Weights.Layer w = weights.layers().get(index);
        Tensor normed = norm(xND, w.inputNorm());
        probe.norm(index, false, normed);
        Tensor qkv = linear(normed, w.qkv(), w.qkvBias());
        Tensor heads = context.attend(index, qkv, batch, length);
        probe.heads(index, heads);
        Tensor middleND = xND.add(linear(heads, w.o(), w.oBias()));

        Tensor normed2 = norm(middleND, w.postNorm());
        probe.norm(index, true, normed2);
        TensorVector gateUp =
                linear(normed2, w.gateUp(), NO_BIAS).split(config.intermediateSize(), -1);
        Tensor activation =
                switch (config.mlp()) {
                    case Mlp.GatedSilu silu -> torch.silu(gateUp.get(0)).mul(gateUp.get(1));
                };
        probe.neurons(index, activation);
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
                ModelConfig config, FlatParameters parameters, Optional<FlatParameters> gradients) {
            Leaves leaves = new Leaves(parameters, gradients);
            TensorTable tensors = config.tensors();
            try (PointerScope owner = new PointerScope()) {
                List<Layer> layers = new ArrayList<>();
                for (int i = 0; i < config.numHiddenLayers(); i++) {
                    layers.add(
                            new Layer(
                                    leaves.of(i, Role.ATTENTION_NORM),
                                    leaves.of(i, Role.QUERY, Role.KEY, Role.VALUE),
                                    leaves.ifAny(
                                            i, Role.QUERY_BIAS, Role.KEY_BIAS, Role.VALUE_BIAS),
                                    leaves.of(i, Role.OUTPUT),
                                    leaves.ifAny(i, Role.OUTPUT_BIAS),
                                    leaves.of(i, Role.MLP_NORM),
                                    leaves.of(i, Role.GATE, Role.UP),
                                    leaves.of(i, Role.DOWN)));
                }
                Tensor embedding = parameters.view(tensors.of(Role.EMBEDDING));
                Tensor head = tensors.find(Role.HEAD).map(parameters::view).orElse(embedding);
                Slot norm = parameters.layout().slot(tensors.of(Role.FINAL_NORM));
                Weights weights =
                        new Weights(embedding, head, leaves.of(List.of(norm)), layers, owner);
                owner.extend();
                return weights;
            }
        }

        @Override
        public void close() {
            owner.close();
        }
    }

    /// Views of parameters to which autograd adds the gradients, where they are wanted.
    private record Leaves(FlatParameters parameters, Optional<FlatParameters> gradients) {
        /// A layer's tensors of these roles as one.
        Tensor of(int layer, Role... roles) {
            List<Slot> group = parameters.layout().group(layer, roles);
            if (group.isEmpty()) {
                throw new IllegalArgumentException(
                        "layer %d has no %s".formatted(layer, List.of(roles)));
            }
            return of(group);
        }

        /// The same where the layer has them.
        TensorOptional ifAny(int layer, Role... roles) {
            List<Slot> group = parameters.layout().group(layer, roles);
            return group.isEmpty() ? new TensorOptional() : new TensorOptional(of(group));
        }

        Tensor of(List<Slot> group) {
            Tensor view = parameters.rows(group).detach();
            gradients.ifPresent(g -> {
                view.set_requires_grad(true);
                view.mutable_grad().put(g.rows(group));
            });
            return view;
        }
    }
}
