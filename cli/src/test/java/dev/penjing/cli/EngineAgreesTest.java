package dev.penjing.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.compression.generation.TorchModel;
import dev.penjing.compression.torch.Compute;
import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.Progress;
import dev.penjing.model.architecture.ModelConfig;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.gguf.GgufImport;
import dev.penjing.model.safetensors.DType;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.model.tokenizer.Tokenizers;
import dev.penjing.world.WorldFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The engine beside the decoder that trains, on the same weights.
class EngineAgreesTest {
    private static final Path TEACHER = Path.of("..", "teacher");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir static Path folder;
    private static int[] ids = new int[0];
    private static float[] expected = new float[0];

    @BeforeAll
    static void measure() throws IOException {
        WorldFiles.write(folder.resolve("world"), 5, 100_000);
        Tokenizer tokenizer = Tokenizers.load(TEACHER);
        StringBuilder text = new StringBuilder();
        for (String line :
                Files.readAllLines(folder.resolve("world/heldout.jsonl")).subList(0, 12)) {
            text.append(JSON.readTree(line).path("text").asString());
        }
        ids = Arrays.copyOf(tokenizer.encode(text.toString()), 256);
        try (TorchModel model =
                TorchModel.load(TEACHER, tokenizer, Compute.start("cpu", "float32", 0))) {
            expected = model.logProbabilities(List.of(ids)).getFirst();
        }
    }

    private static double meanDifference(Path model, EngineOptions options) {
        try (Engine engine = Engine.load(model, options, Progress.NONE)) {
            float[] scores = engine.languageModel().logProbabilities(List.of(ids)).getFirst();
            double sum = 0;
            for (int i = 0; i < scores.length; i++) {
                sum += Math.abs(scores[i] - expected[i]);
            }
            return sum / scores.length;
        }
    }

    @Test
    void eightBitsAreWithinRoundingOfFloats() {
        assertThat(meanDifference(TEACHER, EngineOptions.DEFAULT)).isLessThan(0.02);
    }

    @Test
    void aGgufFileOfEightBitsIsTheSameAsTheFolder() {
        Path file = folder.resolve("teacher.gguf");
        GgufExport.run(TEACHER, file, FileType.Q8_0, Progress.NONE);
        float[] fromFile;
        try (Engine engine = Engine.load(file, EngineOptions.DEFAULT, Progress.NONE)) {
            fromFile = engine.languageModel().logProbabilities(List.of(ids)).getFirst();
            List<Map<String, String>> messages = List.of(Map.of("role", "user", "content", "Hi"));
            assertThat(engine.tokenizer().decode(engine.chat(messages, Map.of()), false))
                    .isEqualTo("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
        }
        assertThat(fromFile).isEqualTo(scores(TEACHER));
    }

    @Test
    void fourBitsLoseMoreButLittle() {
        double four =
                meanDifference(
                        TEACHER,
                        EngineOptions.DEFAULT.withQuantization(WeightFormat.named("q4_0")));
        assertThat(four).isGreaterThan(meanDifference(TEACHER, EngineOptions.DEFAULT));
        assertThat(four).isLessThan(0.3);
    }

    /// GGUF has a table for it, Hugging Face settings.
    @Test
    void scaledRotaryPositionsSurviveAGgufFile() throws IOException {
        Path scaled = Files.createDirectory(folder.resolve("scaled"));
        for (String name : List.of("model.safetensors", "tokenizer.json")) {
            Files.createLink(scaled.resolve(name), TEACHER.resolve(name).toRealPath());
        }
        ModelConfig plain = ModelConfig.read(TEACHER.resolve("config.json"));
        ObjectNode json =
                (ObjectNode) JSON.readTree(Files.readString(TEACHER.resolve("config.json")));
        json.remove("rope_parameters");
        json.put("rope_theta", plain.rope().theta());
        json.putObject("rope_scaling")
                .put("rope_type", "llama3")
                .put("factor", 8.0)
                .put("low_freq_factor", 1.0)
                .put("high_freq_factor", 4.0)
                .put("original_max_position_embeddings", 256);
        Files.writeString(scaled.resolve("config.json"), json.toString());
        Path file = folder.resolve("scaled.gguf");
        GgufExport.run(scaled, file, FileType.Q8_0, Progress.NONE);

        float[] fromFile = scores(file);
        assertThat(fromFile).isEqualTo(scores(scaled)).isNotEqualTo(scores(TEACHER));
        Path imported = Files.createDirectory(folder.resolve("imported"));
        GgufImport.run(file, imported, DType.F32, Progress.NONE);
        assertThat(ModelConfig.read(imported.resolve("config.json")).rope())
                .isEqualTo(ModelConfig.read(scaled.resolve("config.json")).rope());
    }

    private static float[] scores(Path model) {
        try (Engine engine = Engine.load(model, EngineOptions.DEFAULT, Progress.NONE)) {
            return engine.languageModel().logProbabilities(List.of(ids)).getFirst();
        }
    }
}
