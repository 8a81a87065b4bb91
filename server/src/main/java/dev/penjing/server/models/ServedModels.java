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
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/// All models that a server serves, and the queue that they share.
public final class ServedModels implements AutoCloseable {
    /// Is told what became of each model, on the loading thread.
    @FunctionalInterface
    public interface LoadLog {
        /// @param line for people
        /// @param failure why the model could not be loaded; empty if it was
        void tell(String line, Optional<Throwable> failure);
    }

    /// Makes the engine of a model, or throws.
    @FunctionalInterface
    interface Loader {
        /// @param cancelled whether the server was closed meanwhile
        Engine load(ServedModel model, Progress progress, BooleanSupplier cancelled)
                throws Exception;
    }

    private static final int WARM_UP_TOKENS = 64;
    private static final Duration WARM_UP = Duration.ofMillis(700);

    private final Map<String, ServedModel> models = new LinkedHashMap<>();
    private final Admission admission;
    private final WakeupCoalescer coalescer;
    private final Thread loading;

    /// Counted down by `close`: whoever loads then stops.
    private final CountDownLatch closing = new CountDownLatch(1);

    /// Begins to load them, one after the other.
    ///
    /// @param log is told of each that is loaded, or failed to
    /// @throws UsageException if two have the same name
    public ServedModels(
            List<ServedModel> all, Admission admission, Progress progress, LoadLog log) {
        this(
                all,
                admission,
                progress,
                log,
                (model, told, cancelled) ->
                        Engine.load(model.path(), model.options(), told, cancelled));
    }

    ServedModels(
            List<ServedModel> all,
            Admission admission,
            Progress progress,
            LoadLog log,
            Loader loader) {
        for (ServedModel model : all) {
            if (models.put(model.id(), model) != null) {
                throw new UsageException(
                        "two models are called %s: give them names of their own with NAME=MODEL"
                                .formatted(model.id()));
            }
        }
        this.admission = admission;
        this.coalescer = new WakeupCoalescer();
        this.loading =
                Thread.ofPlatform()
                        .daemon()
                        .name("penjing-loader")
                        .start(() -> load(loader, progress, log));
    }

    private void load(Loader loader, Progress progress, LoadLog log) {
        for (ServedModel model : models.values()) {
            if (closed()) {
                return;
            }
            Optional<Throwable> failure =
                    model.load(() -> warm(loader.load(model, progress, this::closed)));
            if (closed()) {
                return;
            }
            String line =
                    model.id()
                            + ": "
                            + model.loaded().map(Engine::describe).orElseGet(model::message);
            log.tell(line, failure);
        }
    }

    private boolean closed() {
        return closing.getCount() == 0;
    }

    private Engine warm(Engine engine) {
        try {
            warmUp(engine);
            return engine;
        } catch (Throwable e) {
            engine.close();
            throw e;
        }
    }

    /// Answers a little, so that the first client does not wait for Java to compile the engine.
    ///
    /// @throws PenjingException if the engine cannot answer
    private void warmUp(Engine engine) {
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
            closing.await(WARM_UP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        generation.cancel();
        Finish finish = generation.awaitEnd();
        if (finish.reason() == Finish.Reason.FAILED) {
            throw finish.failure();
        }
    }

    /// As `AnswerService.make`, with one of these models.
    ///
    /// @param ticket by which the requests were let in
    /// @param gone whether the client has left
    /// @param most time for all of it
    public List<Finish> answer(
            ServedModel model,
            List<Request> requests,
            Admission.Ticket ticket,
            BooleanSupplier gone,
            Duration most,
            AnswerService.Taker taker) {
        return AnswerService.make(model.engine(), requests, ticket, coalescer, gone, most, taker);
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
            loading.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted while loading", e);
        }
    }

    /// Ends the loading, as soon as the engine notices, and all engines.
    @Override
    public void close() {
        closing.countDown();
        boolean interrupted = false;
        while (loading.isAlive()) {
            try {
                loading.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        models.values().forEach(ServedModel::close);
        coalescer.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
