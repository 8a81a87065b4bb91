package dev.penjing.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.api.DraftUse;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.inference.measuring.Perplexity;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.gguf.FileType;
import dev.penjing.model.gguf.GgufExport;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.language.Prompt;
import dev.penjing.model.language.ScoredText;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What fails is never an answer, nor a score.
class FailuresTest {
    private static final EngineOptions OPTIONS = EngineOptions.DEFAULT.withThreads(2);
    private static final int[] IDS = {1, 2, 3, 4};

    private static void failsNotFinite(ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(PenjingException.class)
                .hasMessageMatching("(?s).*(not finite|is (NaN|-?Infinity)).*");
    }

    @Test
    void aModelWhoseLogitsAreNoNumbersHasNoAnswersAndNoScores(@TempDir Path at) {
        TinyModel.overflowing(at);
        try (Engine engine = Engine.load(at, OPTIONS, Progress.NONE)) {
            LanguageModel model = engine.languageModel();
            failsNotFinite(() -> engine.complete("the cat", 20, Sampling.GREEDY));
            failsNotFinite(() -> engine.complete("the cat", 20, Sampling.at(1, 1)));
            Prompt prompt = new Prompt(IDS, 20, Prompt.Draw.GREEDY, id -> false);
            failsNotFinite(() -> model.generate(List.of(prompt), done -> {}));
            failsNotFinite(() -> model.logProbabilities(List.of(IDS)));
            failsNotFinite(() -> model.likelihoods(List.of(new ScoredText(IDS, 1))));
            failsNotFinite(() -> engine.score(IDS, 2));
            failsNotFinite(() ->
                    Perplexity.measure(
                            model,
                            OptionalInt.empty(),
                            text -> text.accept("the cat sat"),
                            8,
                            Progress.NONE));
            Finish finish =
                    engine.submit(
                                    Request.of(IDS, 20, Sampling.GREEDY).endless(),
                                    new EngineTest.Answer())
                            .awaitEnd();
            assertThat(finish.reason()).isEqualTo(Finish.Reason.FAILED);
            assertThat(finish.newTokens()).isZero();
            assertThat(finish.cause().orElseThrow()).isInstanceOf(PenjingException.class);
            assertThat(engine.alive()).isTrue();
        }
    }

    /// It proposes nonsense, which the model does not accept.
    @Test
    void aDraftWhoseLogitsAreNoNumbersChangesNoText(@TempDir Path at) {
        TinyModel.write(at.resolve("model"));
        TinyModel.overflowing(at.resolve("draft"));
        String expected;
        try (Engine engine = Engine.load(at.resolve("model"), OPTIONS, Progress.NONE)) {
            expected = engine.complete("the cat", 50, Sampling.GREEDY);
        }
        EngineOptions drafted = OPTIONS.withDraft(at.resolve("draft"), 4);
        try (Engine engine = Engine.load(at.resolve("model"), drafted, Progress.NONE)) {
            engine.draft(DraftUse.ALWAYS);
            assertThat(engine.complete("the cat", 50, Sampling.GREEDY)).isEqualTo(expected);
            assertThat(engine.load().draft().proposed()).isPositive();
        }
    }

    @Test
    void loadingEndsSoonAfterItIsCancelled(@TempDir Path at) {
        TinyModel.write(at.resolve("folder"));
        Path file = at.resolve("model.gguf");
        GgufExport.run(at.resolve("folder"), file, FileType.Q8_0, Progress.NONE);
        for (Path model : List.of(at.resolve("folder"), file)) {
            AtomicInteger asked = new AtomicInteger();
            Engine.load(
                            model,
                            OPTIONS,
                            Progress.NONE,
                            () -> {
                                asked.incrementAndGet();
                                return false;
                            })
                    .close();
            // once a row at least
            assertThat(asked.get()).isGreaterThan(500);
            for (int after : new int[] {0, 1, asked.get() / 2, asked.get() - 2}) {
                AtomicInteger left = new AtomicInteger(after);
                assertThatThrownBy(() ->
                                Engine.load(
                                        model,
                                        OPTIONS,
                                        Progress.NONE,
                                        () -> left.getAndDecrement() <= 0))
                        .isInstanceOf(PenjingException.class)
                        .hasMessageContaining("cancelled");
            }
        }
        nobodyWorks();
    }

    @Test
    void loadingThatFailsLeavesNoThreads(@TempDir Path at) {
        TinyModel.write(at);
        Progress failing =
                (what, done, total, note) -> {
                    throw new OutOfMemoryError("for a test");
                };
        assertThatThrownBy(() -> Engine.load(at, OPTIONS, failing))
                .satisfies(thrown ->
                        assertThat(root(thrown))
                                .isInstanceOf(OutOfMemoryError.class)
                                .hasMessage("for a test"));
        assertThatThrownBy(() -> Engine.load(at, OPTIONS.withThreads(1), failing))
                .isInstanceOf(OutOfMemoryError.class);
        assertThatThrownBy(() -> Engine.load(at.resolve("nothing"), OPTIONS, Progress.NONE))
                .isInstanceOf(PenjingException.class);
        nobodyWorks();
    }

    private static Throwable root(Throwable thrown) {
        Throwable cause = thrown.getCause();
        return cause == null ? thrown : root(cause);
    }

    private static void nobodyWorks() {
        assertThat(
                        Thread.getAllStackTraces().keySet().stream()
                                .filter(t -> t.getName().matches("penjing-\\d+"))
                                .filter(FailuresTest::stays)
                                .toList())
                .isEmpty();
    }

    private static boolean stays(Thread thread) {
        try {
            thread.join(10_000);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return thread.isAlive();
    }
}
