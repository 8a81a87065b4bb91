package dev.penjing.compression.importance;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.SafetensorsFile;
import dev.penjing.model.safetensors.SafetensorsWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Importance as a safetensors file of float32 vectors: `layers.N.neurons`, `layers.N.heads`,
/// `layers.N.norms.0` and `.1`, `layers`; the number of samples in the metadata. It holds all that
/// another shape needs.
public final class ImportanceFile {
    private ImportanceFile() {}

    public static void write(Path file, Importance importance, ModelConfig config) {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        tensors.put("layers", importance.layers());
        for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
            String at = "layers." + layer + ".";
            tensors.put(at + "neurons", importance.neurons()[layer]);
            tensors.put(at + "heads", importance.heads()[layer]);
            tensors.put(at + "norms.0", importance.channels()[2 * layer]);
            tensors.put(at + "norms.1", importance.channels()[2 * layer + 1]);
        }
        SafetensorsWriter.writeFile(
                file, tensors, Map.of("samples", Long.toString(importance.samples())));
    }

    /// @throws PenjingException if the file was made for a model of another shape
    public static Importance read(Path file, ModelConfig config) {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            int layers = config.numHiddenLayers();
            float[][] neurons = new float[layers][];
            float[][] heads = new float[layers][];
            float[][] channels = new float[2 * layers][];
            int width = config.numAttentionHeads() * config.headDim();
            for (int layer = 0; layer < layers; layer++) {
                String at = "layers." + layer + ".";
                neurons[layer] = vector(source, at + "neurons", config.intermediateSize(), file);
                heads[layer] = vector(source, at + "heads", width, file);
                channels[2 * layer] = vector(source, at + "norms.0", config.hiddenSize(), file);
                channels[2 * layer + 1] = vector(source, at + "norms.1", config.hiddenSize(), file);
            }
            long samples = Long.parseLong(source.metadata().getOrDefault("samples", "0"));
            return new Importance(
                    neurons, heads, channels, vector(source, "layers", layers, file), samples);
        }
    }

    private static float[] vector(SafetensorsFile source, String name, int length, Path file) {
        if (!source.names().contains(name) || source.tensor(name).shape()[0] != length) {
            throw new PenjingException(
                    "%s does not fit the teacher: no %s of %d scores; run penjing score on this teacher"
                            .formatted(file, name, length));
        }
        return source.tensor(name).toFloats();
    }
}
