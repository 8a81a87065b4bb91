package dev.penjing.inference.measuring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.TinyModel;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.language.LanguageModel;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which windows of a text are scored, held against the scores of these windows one by one.
class PerplexityTest {
    private static final Consumer<Consumer<String>> TEXT =
            to -> List.of("the cat", " sat on the mat").forEach(to);

    private static double scored(LanguageModel model, int... window) {
        double sum = 0;
        for (float score : model.logProbabilities(List.of(window)).getFirst()) {
            sum -= score;
        }
        return sum;
    }

    @Test
    void eachWindowBeginsAsTextsDo(@TempDir Path at) {
        TinyModel.write(at);
        try (Engine engine = Engine.load(at, EngineOptions.DEFAULT, Progress.NONE)) {
            LanguageModel model = engine.languageModel();
            int[] a = model.tokenizer().encode("the cat");
            int[] b = model.tokenizer().encode(" sat on the mat");
            int[] ids = new int[a.length + b.length];
            System.arraycopy(a, 0, ids, 0, a.length);
            System.arraycopy(b, 0, ids, a.length, b.length);
            double plain = 0;
            double begun = 0;
            for (int i = 0; i < ids.length; i += 2) {
                boolean one = i + 1 == ids.length;
                plain += one ? 0 : scored(model, ids[i], ids[i + 1]);
                begun += one ? scored(model, 1, ids[i]) : scored(model, 1, ids[i], ids[i + 1]);
            }
            Perplexity without =
                    Perplexity.measure(model, OptionalInt.empty(), TEXT, 2, Progress.NONE);
            assertThat(without.tokens()).isEqualTo(ids.length / 2);
            assertThat(without.negativeLogLikelihood()).isEqualTo(plain);
            Perplexity with = Perplexity.measure(model, OptionalInt.of(1), TEXT, 3, Progress.NONE);
            assertThat(with.tokens()).isEqualTo(ids.length);
            assertThat(with.bytes()).isEqualTo("the cat sat on the mat".length());
            assertThat(with.negativeLogLikelihood()).isEqualTo(begun);
        }
    }

    @Test
    void aTextOfNothingIsRefused(@TempDir Path at) {
        TinyModel.write(at);
        try (Engine engine = Engine.load(at, EngineOptions.DEFAULT, Progress.NONE)) {
            LanguageModel model = engine.languageModel();
            OptionalInt begin = OptionalInt.of(1);
            assertThatThrownBy(() -> Perplexity.measure(model, begin, text -> {}, 8, Progress.NONE))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("too few tokens");
        }
    }
}
