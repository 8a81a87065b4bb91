package dev.penjing.server.models;

import dev.penjing.inference.Engine;
import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.server.http.ApiException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;

/// A model under the name by which clients call it. It loads in the background.
public final class ServedModel implements AutoCloseable {
    /// How far it has come.
    public enum State {
        LOADING,
        READY,
        FAILED
    }

    private final String id;
    private final Path path;
    private final EngineOptions options;
    private final Instant created = Instant.now();
    private volatile State state = State.LOADING;
    private volatile Optional<Engine> engine = Optional.empty();
    private volatile String message = "The model is loading.";

    /// @param path file or folder
    public ServedModel(String id, Path path, EngineOptions options) {
        this.id = id;
        this.path = path;
        this.options = options;
    }

    /// Loads it, on the calling thread. Whatever the loader throws, errors of the virtual machine
    /// too, the model is `FAILED` and the thread goes on with the next one.
    ///
    /// @return why it failed; empty if it is ready
    Optional<Throwable> load(Callable<Engine> loader) {
        try {
            engine = Optional.of(loader.call());
            message = "Service is ready.";
            state = State.READY;
            return Optional.empty();
        } catch (Throwable e) {
            message = "The model could not be loaded: " + reason(e);
            state = State.FAILED;
            return Optional.of(e);
        }
    }

    /// For people, who are not told of the house's classes: those are in the log.
    private static String reason(Throwable failure) {
        return switch (failure) {
            case PenjingException known -> String.valueOf(known.getMessage());
            case OutOfMemoryError e ->
                    "the memory did not suffice (%s): give the server more, or serve a smaller model"
                            .formatted(e.getMessage());
            default -> "the server failed over it: see its log";
        };
    }

    public String id() {
        return id;
    }

    public Path path() {
        return path;
    }

    EngineOptions options() {
        return options;
    }

    public Instant created() {
        return created;
    }

    public State state() {
        return dead() ? State.FAILED : state;
    }

    /// Whether it was ready, and its engine has ended since.
    public boolean dead() {
        return engine.map(e -> !e.alive()).orElse(false);
    }

    /// About its state, for people.
    public String message() {
        return dead() ? "The model's engine has ended." : message;
    }

    /// Empty unless it is ready.
    public Optional<Engine> loaded() {
        return engine;
    }

    /// @throws ApiException if it is not ready
    public Engine engine() {
        return engine.filter(Engine::alive)
                .orElseThrow(() ->
                        state() == State.FAILED
                                ? ApiException.unavailable("failed", message(), 60)
                                : ApiException.unavailable(
                                        "loading", "Model %s is loading.".formatted(id), 2));
    }

    /// The report of the compression that made it, if it lies where `compress` puts it: beside the
    /// model's folder.
    public Optional<Path> report() {
        Path folder = path.toAbsolutePath().getParent();
        Path report = folder == null ? path : folder.resolve("report.html");
        return Files.isRegularFile(report) ? Optional.of(report) : Optional.empty();
    }

    @Override
    public void close() {
        engine.ifPresent(Engine::close);
    }
}
