package dev.penjing.compression.training;

import dev.penjing.compression.decoder.FlatParameters;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.safetensors.SafetensorsWriter;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;

/// FlatParameters in training as a checkpoint in Hugging Face form.
public final class Checkpoints {
    private Checkpoints() {}

    public static void write(
            ModelConfig config, FlatParameters parameters, Path directory, DType type) {
        try (SafetensorsWriter writer =
                SafetensorsWriter.ofModel(directory, config.tensors(), type)) {
            for (TensorSpec tensor : config.tensors()) {
                try (PointerScope scope = new PointerScope()) {
                    writer.write(tensor, Tensors.floats(parameters.view(tensor)));
                }
            }
            writer.finish();
        }
        String dtype =
                switch (type) {
                    case F16 -> "float16";
                    case BF16 -> "bfloat16";
                    default -> "float32";
                };
        config.withDtype(dtype).write(directory.resolve("config.json"));
    }
}
