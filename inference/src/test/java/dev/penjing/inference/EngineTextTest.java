package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.Progress;
import dev.penjing.model.files.JsonText;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Texts begin with BOS where the model's do.
class EngineTextTest {
    private static final EngineOptions OPTIONS = EngineOptions.DEFAULT.withThreads(1);
    private static final String BOS = "<|endoftext|>";

    private static String answer(Engine engine, int[] prompt) {
        EngineTest.Answer answer = new EngineTest.Answer();
        engine.submit(Request.of(prompt, 20, Sampling.GREEDY), answer).awaitEnd();
        return answer.text.toString();
    }

    private static void begins(Engine engine) {
        int[] plain = engine.tokenizer().encode("the cat");
        int bos = engine.tokenizer().id(BOS).orElseThrow();
        int[] begun = engine.text("the cat");
        assertThat(begun[0]).isEqualTo(bos);
        assertThat(Arrays.copyOfRange(begun, 1, begun.length)).isEqualTo(plain);
        // written there already: not twice
        assertThat(engine.text(BOS + "the cat")).isEqualTo(begun);
        String text = engine.complete("the cat", 20, Sampling.GREEDY);
        assertThat(text).isEqualTo(answer(engine, begun)).isNotEqualTo(answer(engine, plain));
        assertThat(engine.conventions().endIds()).contains(bos);
    }

    @Test
    void completionsBeginWhereTheModelsTextsDo(@TempDir Path at) throws IOException {
        Path folder = at.resolve("model");
        TinyModel.write(folder);
        try (Engine engine = Engine.load(folder, OPTIONS, Progress.NONE)) {
            assertThat(engine.text("the cat")).isEqualTo(engine.tokenizer().encode("the cat"));
        }
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                """
                {"bos_token": "%s", "eos_token": "%s"}
                """
                        .formatted(BOS, BOS));
        Tokenizers.save(
                TinyModel.tokenizer(),
                JsonText.parse(
                        """
                        {"type": "TemplateProcessing", "single": [
                         {"SpecialToken": {"id": "%s", "type_id": 0}},
                         {"Sequence": {"id": "A", "type_id": 0}}]}
                        """
                                .formatted(BOS)),
                folder);
        try (Engine engine = Engine.load(folder, OPTIONS, Progress.NONE)) {
            begins(engine);
        }
        Path file = at.resolve("model.gguf");
        GgufExport.run(folder, file, FileType.F32, Progress.NONE);
        try (Engine engine = Engine.load(file, OPTIONS, Progress.NONE)) {
            begins(engine);
        }
    }
}
