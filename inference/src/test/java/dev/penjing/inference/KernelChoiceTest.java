package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelChoiceTest {
    private static final Path TEACHER = Path.of("..", "teacher");
    private static final String TEXT = "Once upon a time there was a";

    /// Every kind of kernels that this machine has says the same.
    @Test
    void greedyTextDoesNotDependOnTheKernels() {
        Map<String, List<Integer>> said = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (String name : KernelChoice.names()) {
            for (String format : List.of("q4_0", "q8_0")) {
                EngineOptions options =
                        EngineOptions.DEFAULT
                                .withThreads(1)
                                .withQuantization(
                                        dev.penjing.inference.kernel.WeightFormat.named(format))
                                .withKernels(name);
                try (Engine engine = Engine.load(TEACHER, options, Progress.NONE)) {
                    int[] prompt = engine.tokenizer().encode(TEXT);
                    Request request = Request.of(prompt, 24, Sampling.GREEDY).endless();
                    EngineTest.Answer answer = new EngineTest.Answer();
                    engine.submit(request, answer).awaitEnd();
                    said.put(name + " " + format, List.copyOf(answer.ids));
                } catch (UsageException e) {
                    missing.add(name);
                }
            }
        }
        assertThat(missing).doesNotContain("auto", "vector", "scalar");
        said.forEach((name, tokens) ->
                assertThat(tokens)
                        .as(name)
                        .isEqualTo(said.get("scalar" + name.substring(name.indexOf(' ')))));
    }

    @Test
    void anUnknownNameIsAnError() {
        assertThatThrownBy(() -> EngineOptions.DEFAULT.withKernels("fast"))
                .isInstanceOf(UsageException.class)
                .hasMessage(
                        "kernels must be one of auto, vnni512, vnni, avx2, vector, scalar, not fast");
    }

    @Test
    void aPropertyDecidesWhatAutoIs() {
        System.setProperty("penjing.kernels", "vector");
        try {
            assertThat(KernelChoice.open("auto").describe()).startsWith("Vector API");
            assertThat(KernelChoice.open("scalar").describe()).startsWith("plain Java");
        } finally {
            System.clearProperty("penjing.kernels");
        }
    }
}
