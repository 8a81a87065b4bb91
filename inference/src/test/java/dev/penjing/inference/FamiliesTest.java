package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.architecture.TensorSpec;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.safetensors.Checkpoint;
import dev.penjing.model.safetensors.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every family on the engine, as a folder and as a GGUF file.
class FamiliesTest {
    @TempDir Path folder;

    /// With the property `penjing.models` the models are kept in the folder that it names.
    private Path folder(String family) {
        String kept = System.getProperty("penjing.models", folder.toString());
        return Path.of(kept).resolve(family.replaceAll("[^a-z0-9]+", "-"));
    }

    private static float[] scores(Path model, int[] ids) {
        try (Engine engine =
                Engine.load(model, EngineOptions.DEFAULT.withThreads(1), Progress.NONE)) {
            return engine.languageModel().logProbabilities(List.of(ids)).getFirst();
        }
    }

    /// Eight bits leave some noise; a bias, a rotation or a row in the wrong place would be off by
    /// whole units. What GGUF says in float32 is the same model, to the last bit, and so is what
    /// comes back from it.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"model_type\": \"llama\"",
                "\"model_type\": \"llama\", \"attention_bias\": true",
                "\"model_type\": \"mistral\", \"sliding_window\": 256",
                "\"model_type\": \"qwen2\"",
                "\"model_type\": \"qwen2\", \"tie_word_embeddings\": true",
                "\"model_type\": \"qwen3\"",
                "\"model_type\": \"nemotron\", \"norm_eps\": 1e-5",
                "\"model_type\": \"gemma3_text\", \"num_hidden_layers\": 7,"
                        + " \"sliding_window\": 9, \"query_pre_attn_scalar\": 16,"
                        + " \"rope_theta\": 100000.0, \"rope_local_base_freq\": 500.0",
                "\"model_type\": \"gemma3_text\", \"sliding_window\": 9,"
                        + " \"layer_types\": [\"full_attention\", \"sliding_attention\"],"
                        + " \"query_pre_attn_scalar\": 16",
                "\"model_type\": \"olmo2\"",
                "\"model_type\": \"smollm3\", \"num_hidden_layers\": 5",
                "\"model_type\": \"granite\", \"embedding_multiplier\": 6.0,"
                        + " \"attention_multiplier\": 0.1, \"residual_multiplier\": 0.22,"
                        + " \"logits_scaling\": 4.0",
                "\"model_type\": \"phi3\", \"partial_rotary_factor\": 0.75",
                "\"model_type\": \"phi3\", \"partial_rotary_factor\": 0.5,"
                        + " \"original_max_position_embeddings\": 256,"
                        + " \"max_position_embeddings\": 1024, \"rope_scaling\":"
                        + " {\"type\": \"longrope\", \"short_factor\": [1.0, 1.5, 2.25, 3.1],"
                        + " \"long_factor\": [4.0, 8.0, 12.0, 20.0]}"
            })
    void theEngineAgreesWithFloatsInBothForms(String family) {
        Path directory = folder(family).resolve("model");
        ModelConfig config = TinyModel.write(directory, ", " + family, 64, 96, 2, 4, 2, 16);
        int[] ids = new int[40];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (i * 37 + 11) % config.vocabularySize();
        }
        float[] expected = FloatReference.logProbabilities(directory, ids);
        float[] scores = scores(directory, ids);
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            assertThat(scores[i]).as("position %d", i).isCloseTo(expected[i], within(0.5f));
            sum += Math.abs(scores[i] - expected[i]);
        }
        assertThat(sum / scores.length).isLessThan(0.1);

        Path gguf = folder(family).resolve("model.gguf");
        GgufExport.run(directory, gguf, FileType.F32, Progress.NONE);
        assertThat(scores(gguf, ids)).isEqualTo(scores);

        mixedTypesAreRead(directory, config, ids);

        Path again = folder.resolve("again");
        GgufImport.run(gguf, again, DType.F32, Progress.NONE);
        ModelConfig read = ModelConfig.read(again.resolve("config.json"));
        assertThat(read.shape()).isEqualTo(config.shape());
        assertThat(read.biases()).isEqualTo(config.biases());
        assertThat(read.mlp()).isEqualTo(config.mlp());
        assertThat(read.norm()).isEqualTo(config.norm());
        if (config.slidingWindow().orElse(0) != 256) { // llama.cpp's llama has no window
            assertThat(read.attention()).isEqualTo(config.attention());
        }
        try (Checkpoint before = Checkpoint.open(directory);
                Checkpoint after = Checkpoint.open(again)) {
            after.check(read);
            for (TensorSpec tensor : config.tensors()) {
                // what is stored less one there is whole here, and so has fewer digits
                boolean rounded = tensor.role().gain() && config.norm().plus() != 0;
                assertThat(after.tensor(tensor).toFloats())
                        .as(tensor.name())
                        .containsExactly(
                                before.tensor(tensor).toFloats(), within(rounded ? 1e-6f : 0f));
            }
        }
    }

    /// A file of several types; the parts of a fused matrix share one.
    private void mixedTypesAreRead(Path directory, ModelConfig config, int[] ids) {
        Path mixed = directory.resolveSibling("mixed.gguf");
        GgufExport.run(directory, mixed, FileType.Q4_K_M, Progress.NONE);
        Path floats = directory.resolveSibling("mixed");
        GgufImport.run(mixed, floats, DType.F32, Progress.NONE);
        float[] expected = FloatReference.logProbabilities(floats, ids);
        float[] scores = scores(mixed, ids);
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            sum += Math.abs(scores[i] - expected[i]);
        }
        assertThat(sum / scores.length).isLessThan(0.1);
        try (Checkpoint before = Checkpoint.open(directory);
                Checkpoint after = Checkpoint.open(floats)) {
            for (TensorSpec tensor : config.tensors()) {
                float[] exact = before.tensor(tensor).toFloats();
                float[] rounded = after.tensor(tensor).toFloats();
                double error = 0;
                double size = 0;
                for (int i = 0; i < exact.length; i++) {
                    error += Math.pow(rounded[i] - exact[i], 2);
                    size += Math.pow(exact[i], 2);
                }
                assertThat(error).as(tensor.name()).isLessThanOrEqualTo(0.01 * size);
            }
        }
    }
}
