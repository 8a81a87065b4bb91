package dev.penjing.compression.importance;

import dev.penjing.model.PenjingException;
import dev.penjing.model.architecture.Axis;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.safetensors.SafetensorsFile;
import dev.penjing.model.safetensors.SafetensorsWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// Importance as a safetensors file of float32 vectors: `layers.N.neurons`, `layers.N.heads`,
/// `layers.N.norms.0` and `.1`, `layers`; the number of samples and a hash of the scored model's
/// content in the metadata. It holds all that another shape needs.
public final class ImportanceFile {
    private static final String SAMPLES = "samples";
    private static final String MODEL = "model_sha256";

    private ImportanceFile() {}

    /// @param model a hash of its content
    public static void write(Path file, Importance importance, String model) {
        SafetensorsWriter.writeFile(
                file,
                tensors(importance.activations()),
                Map.of(SAMPLES, Long.toString(importance.samples()), MODEL, model));
    }

    /// Sums that are not whole yet, of a scorer that may be stopped.
    static void writeSums(Path file, Map<Axis, float[][]> sums) {
        SafetensorsWriter.writeFile(file, tensors(sums), Map.of());
    }

    static Map<Axis, float[][]> readSums(Path file, ModelConfig config) {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            return rows(source, config, file);
        }
    }

    private static Map<String, float[]> tensors(Map<Axis, float[][]> activations) {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        for (Axis axis : Importance.AXES) {
            float[][] rows = activations.getOrDefault(axis, new float[0][]);
            for (int row = 0; row < rows.length; row++) {
                tensors.put(name(axis, row), rows[row]);
            }
        }
        return tensors;
    }

    /// The scores of this very model. Files that do not say whose they are count as its own.
    ///
    /// @param model a hash of its content
    /// @throws PenjingException if they are another model's, too
    public static Importance read(Path file, ModelConfig config, String model) {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            String scored = source.metadata().getOrDefault(MODEL, model);
            if (!scored.equals(model)) {
                throw new PenjingException(
                        "%s holds the scores of another model (content %.12s, this one has %.12s): run penjing score on this teacher"
                                .formatted(file, scored, model));
            }
        }
        return read(file, config);
    }

    /// @throws PenjingException if the file was made for a model of another shape or on no text, or
    ///   holds a score that is not finite
    public static Importance read(Path file, ModelConfig config) {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            return new Importance(rows(source, config, file), samples(source, file));
        }
    }

    private static Map<Axis, float[][]> rows(
            SafetensorsFile source, ModelConfig config, Path file) {
        Map<Axis, float[][]> activations = new EnumMap<>(Axis.class);
        for (Axis axis : Importance.AXES) {
            float[][] rows = new float[Importance.rows(axis, config)][];
            for (int row = 0; row < rows.length; row++) {
                int width = Importance.width(axis, config);
                rows[row] = vector(source, name(axis, row), width, file);
            }
            activations.put(axis, rows);
        }
        return activations;
    }

    private static long samples(SafetensorsFile source, Path file) {
        String samples = source.metadata().getOrDefault(SAMPLES, "0");
        if (!samples.matches("[1-9][0-9]{0,17}")) {
            throw new PenjingException(
                    "%s was scored on %s samples: run penjing score again"
                            .formatted(file, samples));
        }
        return Long.parseLong(samples);
    }

    private static String name(Axis axis, int row) {
        return switch (axis) {
            case HIDDEN -> "layers." + row / 2 + ".norms." + row % 2;
            case LAYER -> "layers";
            default -> "layers." + row + "." + axis.parts();
        };
    }

    private static float[] vector(SafetensorsFile source, String name, int length, Path file) {
        if (!source.names().contains(name) || source.tensor(name).shape()[0] != length) {
            throw new PenjingException(
                    "%s does not fit the teacher: no %s of %d scores; run penjing score on this teacher"
                            .formatted(file, name, length));
        }
        float[] scores = source.tensor(name).toFloats();
        for (float score : scores) {
            if (!Float.isFinite(score)) {
                throw new PenjingException(
                        "%s holds a score in %s that is not finite: run penjing score again, on a teacher whose logits are finite"
                                .formatted(file, name));
            }
        }
        return scores;
    }
}
