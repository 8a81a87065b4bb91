package dev.penjing.server;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.Progress;
import dev.penjing.server.http.Keys;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// The server on a port of its own with the repository's bundled teacher, for tests.
final class TestServer implements AutoCloseable {
    static final String MODEL = "teacher";

    /// A request for so many answers of this length keeps the engine busy until it is cancelled.
    static final int MANY = 128;

    static final int LONG = 230;

    private static final Path TEACHER = Path.of("..", "teacher");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

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
        return start(setup, options -> options);
    }

    /// @param change of the usual options
    static TestServer start(Setup setup, UnaryOperator<ServerOptions> change) {
        Optional<Path> copy =
                setup.context() == Setup.USUAL.context()
                        ? Optional.empty()
                        : Optional.of(withContext(setup.context()));
        ServedModels models =
                new ServedModels(
                        List.of(
                                new ServedModel(
                                        MODEL,
                                        copy.orElse(TEACHER),
                                        EngineOptions.DEFAULT.withRoom(0, 0, setup.sequences()))),
                        new Admission(setup.queue(), 1 << 20),
                        Progress.NONE,
                        line -> {});
        models.awaitLoaded();
        ServerOptions like = ServerOptions.DEFAULT;
        ServerOptions options =
                new ServerOptions(
                        like.host(),
                        0,
                        like.healthPort(),
                        new Keys(setup.keys()),
                        like.cors(),
                        like.tls(),
                        like.limits(),
                        like.defaultMaxTokens(),
                        like.request(),
                        Duration.ofSeconds(1),
                        setup.sequences(),
                        like.log(),
                        like.logPrompts(),
                        like.tracing(),
                        like.examples());
        return new TestServer(models, PenjingServer.start(change.apply(options), models), copy);
    }

    /// A copy of the teacher that says it can read longer texts.
    private static Path withContext(int context) {
        try (Stream<Path> files = Files.list(TEACHER)) {
            Path folder = Files.createTempDirectory("teacher");
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
            Path config = folder.resolve("config.json");
            String text = Files.readString(config);
            String longer =
                    text.replaceFirst("(\"max_position_embeddings\" *: *)\\d+", "$1" + context);
            Files.writeString(config, longer);
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
        return models.get(MODEL).engine();
    }

    /// The first token of a text.
    int firstToken(String text) {
        return engine().tokenizer().encode(text)[0];
    }

    /// Waits until the engine computes answers.
    void awaitBusy() {
        await("busy", () -> engine().load().running() > 0);
    }

    /// Waits until no answer is computed or waited for.
    void awaitIdle() {
        await(
                "idle",
                () -> {
                    Engine.Load load = engine().load();
                    return load.running() == 0
                            && load.waiting() == 0
                            && models.admission().active() == 0;
                });
    }

    private void await(String what, BooleanSupplier there) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!there.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("not %s: %s".formatted(what, engine().load()));
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
        copy.ifPresent(TestServer::delete);
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
