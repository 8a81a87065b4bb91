package dev.penjing.compression.decoder;

import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Multipliers;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// The decoder of all families that Penjing knows and of what pruning makes of them, on libtorch.
/// It goes by the roles of the configuration's tensors; whatever a configuration may say of norm
/// and MLP is switched over here.
///
/// Letters in the names of tensors: B batch, L positions, N = B * L, D hidden size, F intermediate
/// size, H attention heads, K key-value heads, G = H / K, E head dimension, V vocabulary. H * E
/// need not be D.
///
/// A forward pass allocates in the caller's `PointerScope`. Gradients flow to the leaves that were
/// given, where they ask for them.
public final class Decoder implements AutoCloseable {
    private final ModelConfig config;
    private final Compute compute;
    private final Operations operations;
    private final Weights weights;
    private final CausalAttention attention;

    public Decoder(ModelConfig config, FlatParameters parameters, Compute compute) {
        this(config, compute, new Leaves(parameters, Optional.empty()));
    }

    /// A decoder whose weights collect gradients in `gradients`, laid out as the parameters are.
    public static Decoder trainable(
            ModelConfig config,
            FlatParameters parameters,
            FlatParameters gradients,
            Compute compute) {
        return new Decoder(config, compute, new Leaves(parameters, Optional.of(gradients)));
    }

    private Decoder(ModelConfig config, Compute compute, Leaves leaves) {
        this.config = config;
        this.compute = compute;
        this.operations = new Operations(config, compute);
        try (Closer closer = new Closer()) {
            this.weights = closer.own(Weights.of(leaves, operations), Weights::close);
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

    /// What is multiplied with the head, `[N, D]`: the hidden states after the final norm, of the
    /// embeddings `embeddedBLD`; each row is a whole sequence.
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

    /// The same of a model that has some of the layers only.
    ///
    /// @param layers in the order in which they run
    public Tensor hidden(Tensor embeddedBLD, int[] layers) {
        return hidden(embeddedBLD, layers, Probe.NONE, attention);
    }

    private Tensor hidden(Tensor embeddedBLD, Probe probe, ForwardContext context) {
        int[] all = IntStream.range(0, config.numHiddenLayers()).toArray();
        return hidden(embeddedBLD, all, probe, context);
    }

    private Tensor hidden(Tensor embeddedBLD, int[] layers, Probe probe, ForwardContext context) {
        long batch = embeddedBLD.size(0);
        long length = embeddedBLD.size(1);
        Multipliers multipliers = config.multipliers();
        Tensor xND =
                Operations.times(
                        multipliers.embedding(), embeddedBLD.view(-1, config.hiddenSize()));
        for (int layer : layers) {
            Tensor inND = xND;
            // where gradients are wanted, the graph keeps what it needs of what the layer made
            xND =
                    Tensors.scoped(() ->
                            weights.layers()
                                    .get(layer)
                                    .forward(inND, batch, length, probe, context));
            probe.layer(layer, inND, xND);
        }
        return Operations.times(multipliers.logits(), operations.norm(xND, weights.norm()));
    }

    /// The rotary embedding, by layer, of rows whose tokens stand at any positions, for a
    /// [ForwardContext].
    ///
    /// @param positions of `rows` rows
    public List<RotaryEmbedding.Rotation> rotations(int[] positions, int rows) {
        return attention.rotations(positions, rows);
    }

    /// Embeddings of `idsBL` (int64), `[B, L, D]`, without gradient.
    public Tensor embed(Tensor idsBL) {
        return torch.embedding(weights.embedding(), idsBL);
    }

    /// Logits of hidden states, in the computing type.
    public Tensor logits(Tensor hiddenND) {
        return operations.linear(hiddenND, weights.head());
    }

    @Override
    public void close() {
        weights.close();
        attention.close();
    }

    /// The weights as the forward pass multiplies them: views into the flat parameters.
    private record Weights(
            Tensor embedding,
            Tensor head,
            Operations.Gain norm,
            List<DecoderLayer> layers,
            PointerScope owner)
            implements AutoCloseable {
        static Weights of(Leaves leaves, Operations operations) {
            FlatParameters parameters = leaves.parameters();
            TensorTable tensors = operations.config().tensors();
            try (PointerScope owner = new PointerScope()) {
                List<DecoderLayer> layers = new ArrayList<>();
                for (int i = 0; i < operations.config().numHiddenLayers(); i++) {
                    layers.add(DecoderLayer.of(i, leaves, operations));
                }
                Tensor embedding = parameters.view(tensors.of(Role.EMBEDDING));
                Tensor head = tensors.find(Role.HEAD).map(parameters::view).orElse(embedding);
                Operations.Gain norm =
                        new Operations.Gain(
                                leaves.of(tensors.of(Role.FINAL_NORM)),
                                tensors.find(Role.FINAL_NORM_BIAS)
                                        .map(spec -> new TensorOptional(leaves.of(spec)))
                                        .orElseGet(TensorOptional::new));
                Weights weights = new Weights(embedding, head, norm, layers, owner);
                owner.extend();
                return weights;
            }
        }

        @Override
        public void close() {
            owner.close();
        }
    }
}
