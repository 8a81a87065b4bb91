package dev.penjing.server.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.server.Teachers;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How models load, and fail to.
class ServedModelsTest {
    private static final Path TEACHER = Path.of("..", "teacher");

    private static ServedModel teacher(String id) {
        return new ServedModel(id, TEACHER, EngineOptions.DEFAULT.withThreads(1));
    }

    private static Throwable failure(String kind) {
        return switch (kind) {
            case "memory" -> new OutOfMemoryError("Java heap space");
            case "linkage" -> new NoClassDefFoundError("jdk/incubator/vector/Vector");
            case "defect" -> new IllegalStateException("secret detail");
            default -> new PenjingException("model.safetensors is damaged: load it again");
        };
    }

    private static Engine fail(String kind) throws Exception {
        switch (failure(kind)) {
            case Error error -> throw error;
            case Exception exception -> throw exception;
            default -> throw new IllegalStateException(kind);
        }
    }

    /// Whatever the loader throws, the model has failed, the log has the stack, and the models behind
    /// it load.
    @ParameterizedTest
    @ValueSource(strings = {"memory", "linkage", "defect", "known"})
    @Timeout(120)
    void aLoaderThatDiesFailsItsModelAlone(String kind) {
        Map<String, Optional<Throwable>> log = new ConcurrentHashMap<>();
        try (ServedModels models =
                new ServedModels(
                        List.of(teacher("first"), teacher("second")),
                        new Admission(1, 1),
                        Progress.NONE,
                        (line, failure) -> log.put(line.replaceFirst(":.*", ""), failure),
                        (model, progress, cancelled) ->
                                model.id().equals("first")
                                        ? fail(kind)
                                        : Engine.load(
                                                model.path(),
                                                model.options(),
                                                progress,
                                                cancelled))) {
            models.awaitLoaded();
            assertThat(models.get("first").state()).isEqualTo(ServedModel.State.FAILED);
            assertThat(models.get("first").message())
                    .startsWith("The model could not be loaded: ")
                    .contains(
                            switch (kind) {
                                case "memory" -> "the memory did not suffice (Java heap space)";
                                case "known" -> "model.safetensors is damaged";
                                default -> "see its log";
                            });
            assertThat(log)
                    .hasEntrySatisfying(
                            "first",
                            why ->
                                    assertThat(why.orElseThrow().getClass())
                                            .isEqualTo(failure(kind).getClass()));
            assertThat(models.get("second").state()).isEqualTo(ServedModel.State.READY);
            assertThat(log).containsEntry("second", Optional.empty());
        }
    }

    /// A model whose numbers are none cannot answer, and is not said to be ready.
    @Test
    @Timeout(120)
    void aModelThatCannotAnswerHasFailed(@TempDir Path folder) {
        Teachers.broken(folder.resolve("broken"));
        try (ServedModels models =
                new ServedModels(
                        List.of(
                                new ServedModel(
                                        "broken",
                                        folder.resolve("broken"),
                                        EngineOptions.DEFAULT.withThreads(1))),
                        new Admission(1, 1),
                        Progress.NONE,
                        (line, failure) -> {})) {
            models.awaitLoaded();
            assertThat(models.get("broken").state()).isEqualTo(ServedModel.State.FAILED);
            assertThat(models.ready()).isFalse();
        }
    }

    /// A model that is loading is given up once the server is told to end.
    @Test
    @Timeout(120)
    void closingEndsLoading() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Progress progress =
                (what, done, total, note) -> {
                    begun.countDown();
                    try {
                        goOn.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                };
        AtomicInteger told = new AtomicInteger();
        ServedModels models =
                new ServedModels(
                        List.of(teacher("first"), teacher("second")),
                        new Admission(1, 1),
                        progress,
                        (line, failure) -> told.incrementAndGet());
        assertThat(begun.await(60, TimeUnit.SECONDS)).isTrue();
        Thread closer = Thread.ofPlatform().start(models::close);
        while (closer.getState() != Thread.State.WAITING) {
            Thread.sleep(5);
        }
        goOn.countDown();
        closer.join();
        assertThat(models.get("first").loaded()).isEmpty();
        assertThat(models.get("second").state()).isEqualTo(ServedModel.State.LOADING);
        assertThat(told).as("an end that was asked for is no failure to log").hasValue(0);
    }
}
