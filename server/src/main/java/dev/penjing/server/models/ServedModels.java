package dev.penjing.server.models;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Generation;
import dev.penjing.inference.api.Listener;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.inference.api.Request;
import dev.penjing.inference.api.Sampling;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Client;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// All models that a server serves, and the queue that they share.
public final class ServedModels implements AutoCloseable {
    private static final int WARM_UP_TOKENS = 64;
    private static final Duration WARM_UP = Duration.ofMillis(700);

    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private final Admission admission;
    private final Bell bell;
    private final Thread loader;
    private volatile boolean closed;

    /// Begins to load them, one after the other.
    ///
    /// @param log is told of each that is loaded, or failed to
    /// @throws UsageException if two have the same name
    public ServedModels(
            List<ServedModel> all, Admission admission, Progress progress, Consumer<String> log) {
        for (ServedModel model : all) {
            if (models.put(model.id(), model) != null) {
                throw new UsageException(
                        "two models are called %s: give them names of their own with NAME=MODEL"
                                .formatted(model.id()));
            }
        }
        this.admission = admission;
        this.bell = new Bell();
        this.loader =
                Thread.ofPlatform()
                        .daemon()
                        .name("penjing-loader")
                        .start(() -> load(progress, log));
    }

    private void load(Progress progress, Consumer<String> log) {
        for (ServedModel model : models.values()) {
            if (closed) {
                return;
            }
            boolean ready =
                    model.load(() -> {
                        Engine engine = Engine.load(model.path(), model.options(), progress);
                        warmUp(engine);
                        log.accept(model.id() + ": " + engine.describe());
                        return engine;
                    });
            if (!ready) {
                log.accept(model.id() + ": " + model.message());
            }
        }
    }

    /// Answers a little, so that the first client does not wait for Java to compile the engine.
    private static void warmUp(Engine engine) {
        int[] prompt = new int[Math.min(WARM_UP_TOKENS, engine.contextLength() - 1)];
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = i % engine.tokenizer().vocabularySize();
        }
        Generation generation =
                engine.submit(
                        Request.of(prompt, Integer.MAX_VALUE, Sampling.GREEDY).endless(),
                        new Listener() {
                            @Override
                            public void token(int id, String text, Optional<LogProbabilities> p) {}

                            @Override
                            public void finished(Finish finish, String rest) {}
                        });
        try {
            Thread.sleep(WARM_UP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        generation.cancel();
        generation.awaitEnd();
    }

    /// As `Answers.make`, with one of these models.
    ///
    /// @param ticket by which the requests were let in
    /// @param most time for all of it
    public List<Finish> answer(
            ServedModel model,
            List<Request> requests,
            Admission.Ticket ticket,
            Client client,
            Duration most,
            Answers.Taker taker) {
        return Answers.make(model.engine(), requests, ticket, bell, client, most, taker);
    }

    public List<ServedModel> all() {
        return List.copyOf(models.values());
    }

    public Admission admission() {
        return admission;
    }

    /// Whether every model can answer.
    public boolean ready() {
        return !admission.draining()
                && models.values().stream().allMatch(m -> m.state() == ServedModel.State.READY);
    }

    /// @throws ApiException if there is no such model
    public ServedModel get(String id) {
        ServedModel model = models.get(id);
        if (model == null) {
            throw ApiException.noModel(
                    "There is no model of that name here. Served: %s."
                            .formatted(models.keySet().stream().collect(Collectors.joining(", "))));
        }
        return model;
    }

    /// Waits until all are loaded, or have failed to.
    public void awaitLoaded() {
        try {
            loader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while loading", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (loader.isAlive()) {
            try {
                loader.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        models.values().forEach(ServedModel::close);
        bell.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
