package dev.penjing.server;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.model.Progress;
import dev.penjing.server.http.ApiKeys;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// The server on a port of its own with the repository's bundled teacher, for tests.
final class TestServer implements AutoCloseable {
    static final String MODEL = "teacher";

    /// A request for so many answers of this length keeps the engine busy until it is cancelled.
    static final int MANY = 128;

    static final int LONG = 230;

    /// Of prompts, that may wait.
    static final int MOST_TOKENS = 1 << 20;

    /// How long anything may take that has to come.
    static final Duration PATIENCE = Duration.ofMinutes(2);

    /// What differs from the usual server.
    ///
    /// @param queue requests that may wait
    /// @param sequences that run at once
    /// @param context in tokens; beyond the teacher's own 256 its answers have a form, but no sense
    record Setup(List<String> keys, int queue, int sequences, int context) {
        static final Setup USUAL = new Setup(List.of(), 256, 64, 256);
    }

    private final ServedModels models;
    private final PenjingServer server;
    private final Optional<Path> copy;

    private TestServer(ServedModels models, PenjingServer server, Optional<Path> copy) {
        this.models = models;
        this.server = server;
        this.copy = copy;
    }

    static TestServer start() {
        return start(Setup.USUAL);
    }

    static TestServer start(Setup setup) {
        return start(setup, options -> {});
    }

    /// @param change of the usual options
    static TestServer start(Setup setup, Consumer<ServerOptions.Builder> change) {
        return start(setup, Map.of(), change);
    }

    /// @param also folders of more models, by name
    static TestServer start(
            Setup setup, Map<String, Path> also, Consumer<ServerOptions.Builder> change) {
        Optional<Path> copy =
                setup.context() == Setup.USUAL.context()
                        ? Optional.empty()
                        : Optional.of(withContext(setup.context()));
        EngineOptions room = EngineOptions.DEFAULT.withRoom(0, 0, setup.sequences());
        List<ServedModel> all = new ArrayList<>();
        all.add(new ServedModel(MODEL, copy.orElse(Teachers.BUNDLED), room));
        also.forEach((name, folder) -> all.add(new ServedModel(name, folder, room)));
        ServedModels models =
                new ServedModels(
                        all, new Admission(setup.queue(), MOST_TOKENS), Progress.NONE, (line, failure) -> {});
        try {
            models.awaitLoaded();
            return new TestServer(
                    models, PenjingServer.start(options(setup).with(change), models), copy);
        } catch (RuntimeException | Error e) {
            models.close();
            copy.ifPresent(Teachers::delete);
            throw e;
        }
    }

    private static ServerOptions options(Setup setup) {
        return ServerOptions.DEFAULT.with(
                o ->
                        o.port(0)
                                .keys(new ApiKeys(setup.keys()))
                                .shutdown(Duration.ofSeconds(1))
                                .maxSequences(setup.sequences()));
    }

    /// A copy of the teacher that says it can read longer texts.
    private static Path withContext(int context) {
        try {
            Path folder = Files.createTempDirectory("teacher");
            Teachers.stretched(folder, context);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What clients take as their base URL.
    String url() {
        return server.address() + "/v1";
    }

    int port() {
        return server.port();
    }

    PenjingServer server() {
        return server;
    }

    ServedModels models() {
        return models;
    }

    Engine engine() {
        return engine(MODEL);
    }

    Engine engine(String model) {
        return models.get(model).engine();
    }

    /// The first token of a text.
    int firstToken(String text) {
        return engine().tokenizer().encode(text)[0];
    }

    /// Waits until the engine computes answers.
    void awaitBusy() {
        awaitBusy(MODEL);
    }

    void awaitBusy(String model) {
        await("busy", model, load -> load.running() > 0);
    }

    /// Waits until no answer is computed or waited for.
    void awaitIdle() {
        awaitIdle(MODEL);
    }

    void awaitIdle(String model) {
        await(
                "idle",
                model,
                load ->
                        load.running() == 0
                                && load.waiting() == 0
                                && models.admission().active() == 0);
    }

    private void await(String what, String model, Predicate<EngineLoad> there) {
        await(
                () -> "not %s: %s".formatted(what, engine(model).load()),
                () -> there.test(engine(model).load()));
    }

    /// Waits until so many requests are let in and not answered yet.
    void awaitActive(int count) {
        await(
                () -> "%d are active, not %d".formatted(models.admission().active(), count),
                () -> models.admission().active() == count);
    }

    /// Waits until it is so.
    static void await(Supplier<String> complaint, BooleanSupplier there) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!there.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError(complaint.get());
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        server.close();
        copy.ifPresent(Teachers::delete);
    }
}
