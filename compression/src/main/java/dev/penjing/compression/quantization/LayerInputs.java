package dev.penjing.compression.quantization;

import dev.penjing.compression.decoder.Probe;
import dev.penjing.compression.layerwise.ActivationSums;
import dev.penjing.compression.layerwise.TeacherStream;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.Role;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.quantization.InputSums;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// What the matrices of a model read, summed over a calibration text: the model is walked one layer
/// at a time, as far as the matrix that is asked for.
public final class LayerInputs implements Function<TensorSpec, InputSums> {
    /// What is added to the diagonal of the sums, as a share of its mean, so that they can be
    /// inverted (Frantar and others 2022, "GPTQ", section 3.3, step 3).
    private static final double DAMPING = 0.01;

    private final ModelConfig config;
    private final TeacherStream stream;
    private final Map<Role, InputSums> ofLayer = new EnumMap<>(Role.class);

    /// @param stream of the model's states, at its beginning; stays the caller's
    public LayerInputs(ModelConfig config, TeacherStream stream) {
        this.config = config;
        this.stream = stream;
    }

    /// @param spec of a matrix, in no layer before that of the matrix asked for last
    @Override
    public InputSums apply(TensorSpec spec) {
        if (spec.layer().isEmpty()) {
            return InputSums.unknown();
        }
        int layer = spec.layer().orElseThrow();
        while (stream.layersDone() <= layer) {
            walk();
        }
        return ofLayer.getOrDefault(spec.role(), InputSums.unknown());
    }

    private void walk() {
        int layer = stream.layersDone();
        int hidden = config.hiddenSize();
        int heads = config.numAttentionHeads() * config.headDim();
        try (Closer closer = new Closer()) {
            ActivationSums first = sums(closer, hidden);
            ActivationSums attended = sums(closer, heads);
            ActivationSums second = sums(closer, hidden);
            ActivationSums neurons = sums(closer, config.intermediateSize());
            stream.step(
                    new Probe() {
                        @Override
                        public void norm(int index, boolean afterAttention, Tensor outputND) {
                            (afterAttention ? second : first).add(outputND, Optional.empty());
                        }

                        @Override
                        public void heads(int index, Tensor outputNHE) {
                            attended.add(outputNHE, Optional.empty());
                        }

                        @Override
                        public void neurons(int index, Tensor activationNF) {
                            neurons.add(activationNF, Optional.empty());
                        }
                    },
                    index -> {});
            ofLayer.clear();
            // without a norm before them, matrices read what no probe sees
            if (config.tensors().find(layer, Role.ATTENTION_NORM).isPresent()) {
                put(first, Role.QUERY, Role.KEY, Role.VALUE);
            }
            if (config.tensors().find(layer, Role.MLP_NORM).isPresent()) {
                put(second, Role.GATE, Role.UP);
            }
            put(attended, Role.OUTPUT);
            put(neurons, Role.DOWN);
        }
    }

    private static ActivationSums sums(Closer closer, long width) {
        return closer.own(new ActivationSums(width, 0), ActivationSums::close);
    }

    private void put(ActivationSums sums, Role... roles) {
        sums.finish();
        InputSums inputs = inputs(sums.gram());
        for (Role role : roles) {
            ofLayer.put(role, inputs);
        }
    }

    /// @param gramFF float64, the sum of x x^T
    static InputSums inputs(Tensor gramFF) {
        try (PointerScope scope = new PointerScope()) {
            Tensor energy = gramFF.diagonal();
            double mean = energy.mean().item_double();
            Tensor system = gramFF.clone();
            system.diagonal().add_(new Scalar(DAMPING * mean + Double.MIN_NORMAL));
            float[] energies = Tensors.floats(energy.contiguous());
            T_TensorTensor_T factor = torch.linalg_cholesky_ex(system);
            if (factor.get1().item_int() != 0) {
                return InputSums.ofEnergy(energies);
            }
            Tensor inverse = torch.cholesky_inverse(factor.get0());
            T_TensorTensor_T ofInverse = torch.linalg_cholesky_ex(inverse);
            if (ofInverse.get1().item_int() != 0) {
                return InputSums.ofEnergy(energies);
            }
            Tensor upper = ofInverse.get0().t().contiguous();
            int width = energies.length;
            float[] all = Tensors.floats(upper);
            float[][] rows = new float[width][];
            for (int c = 0; c < width; c++) {
                rows[c] = Arrays.copyOfRange(all, c * width + c, (c + 1) * width);
            }
            return InputSums.ofFactor(energies, rows);
        }
    }
}
