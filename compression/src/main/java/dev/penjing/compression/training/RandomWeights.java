package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.decoder.ParameterLayout.Slot;
import dev.penjing.compression.torch.Compute;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.Closer;
import dev.penjing.model.architecture.ModelConfig;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Weights to pretrain from: matrices normal with deviation 0.02, those that write to the residual
/// stream smaller by sqrt(2 * layers) (GPT-2, section 2.3), norms one, biases zero. Drawn by Java's
/// own generator, so that a seed means the same everywhere.
public final class RandomWeights {
    private static final double DEVIATION = 0.02;

    private RandomWeights() {}

    public static FlatParameters draw(ModelConfig config, long seed, Compute compute) {
        try (Closer closer = new Closer()) {
            FlatParameters parameters =
                    closer.own(
                            FlatParameters.zeros(config, compute, ScalarType.Float),
                            FlatParameters::close);
            fill(parameters, config, new Random(seed));
            closer.keep();
            return parameters;
        }
    }

    private static void fill(
            FlatParameters parameters, ModelConfig config, RandomGenerator random) {
        double residual = DEVIATION / Math.sqrt(2.0 * config.numHiddenLayers());
        for (Slot slot : parameters.layout().slots()) {
            try (PointerScope scope = new PointerScope();
                    AutoGradMode noGrad = new AutoGradMode(false)) {
                Tensor view = parameters.view(slot.spec());
                switch (slot.spec().init()) {
                    case NORMAL -> view.copy_(normal(slot, DEVIATION, random));
                    case RESIDUAL -> view.copy_(normal(slot, residual, random));
                    case ONE -> view.fill_(new Scalar(1.0));
                    case ZERO -> view.fill_(new Scalar(0.0));
                }
            }
        }
    }

    private static Tensor normal(Slot slot, double deviation, RandomGenerator random) {
        float[] values = new float[Math.toIntExact(slot.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        Tensor tensor = Tensors.empty(new TensorOptions(ScalarType.Float), slot.shape());
        try (FloatPointer data = tensor.data_ptr_float()) {
            data.put(values, 0, values.length);
        }
        return tensor;
    }
}
