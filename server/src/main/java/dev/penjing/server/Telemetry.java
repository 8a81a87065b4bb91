package dev.penjing.server;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.Request;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.models.AnswerService;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.observe.AccessLog;
import dev.penjing.server.observe.Log;
import dev.penjing.server.observe.ModelMetrics;
import dev.penjing.server.observe.Rejection;
import dev.penjing.server.observe.RequestMetrics;
import dev.penjing.server.observe.RequestSpan;
import dev.penjing.server.observe.ServerMetrics;
import dev.penjing.server.observe.Tracing;
import dev.penjing.server.openai.Service;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Sees every request from its headers to the last byte of its answer, for log, metrics and traces.
final class Telemetry implements Service.Observer {
    private static final ScopedValue<Seen> CURRENT = ScopedValue.newInstance();
    private static final int LONGEST_CONTEXT = 131_072;

    /// What asks again and again.
    private static final Set<String> PROBES =
            Set.of("/v1/health/live", "/v1/health/ready", "/v1/metrics", "/playground/info");

    /// The client went away before the answer.
    private static final int GONE = 499;

    private final Log log;
    private final AccessLog access;
    private final boolean prompts;
    private final Tracing tracing;
    private final ServerMetrics metrics = new ServerMetrics(LONGEST_CONTEXT);
    private final Map<String, ModelMetrics> models = new HashMap<>();

    /// @param prompts whether texts of requests and answers are logged
    Telemetry(Log log, boolean prompts, Tracing tracing, List<ServedModel> all, int maxSequences) {
        this.log = log;
        this.access = new AccessLog(log, prompts);
        this.prompts = prompts;
        this.tracing = tracing;
        for (ServedModel model : all) {
            models.put(model.id(), metrics.forModel(model.id(), maxSequences, () -> load(model)));
        }
    }

    private static EngineLoad load(ServedModel model) {
        return model.loaded()
                .map(Engine::load)
                .orElseGet(() -> new EngineLoad(0, 0, 0, 0, new DraftLoad(0, 0, 0, 0)));
    }

    Log log() {
        return log;
    }

    /// `GET /v1/metrics`
    void scrape(Exchange exchange) {
        ServerMetrics.Exposition exposition = metrics.scrape(exchange.header("accept"));
        exchange.send(200, exposition.contentType(), exposition.body());
    }

    /// A request on its way.
    private static final class Seen {
        final RequestSpan span;
        final String route;
        Optional<ServedModel> model = Optional.empty();
        List<Request> requests = List.of();
        final List<Finish> finishes = new ArrayList<>();
        final StringBuilder text = new StringBuilder();

        Seen(RequestSpan span, String route) {
            this.span = span;
            this.route = route;
        }
    }

    /// Runs what answers a request, and tells of it.
    ///
    /// @param route the pattern that matched
    void around(Exchange exchange, String route, Runnable answering) {
        long start = System.nanoTime();
        Seen seen = new Seen(tracing.start(exchange.method(), route, exchange::header), route);
        try {
            ScopedValue.where(CURRENT, seen).run(answering);
        } finally {
            tell(exchange, route, seen, (System.nanoTime() - start) / 1e9);
        }
    }

    private void tell(Exchange exchange, String route, Seen seen, double seconds) {
        boolean gone = exchange.client().gone() && exchange.status() != 200;
        int status = exchange.status() == 0 || gone ? GONE : exchange.status();
        metrics.answered(route, exchange.method(), status, seconds);
        Optional<String> error = exchange.error().map(e -> e.code().orElse(e.type()));
        if (seen.model.isEmpty()) {
            exchange.error().flatMap(Telemetry::rejection).ifPresent(metrics::rejected);
        }
        error.ifPresent(seen.span::failed);
        exchange.error()
                .flatMap(e -> Optional.ofNullable(e.getCause()))
                .ifPresent(cause -> log.error("request " + exchange.id() + " failed", cause));
        Optional<AccessLog.Answer> answer = seen.model.map(model -> answer(model, seen));
        seen.model.ifPresent(model ->
                seen.span.answered(
                        exchange.id(),
                        model.id(),
                        seen.finishes.stream().map(Telemetry::reason).toList(),
                        seen.finishes));
        seen.span.end(exchange.id(), status);
        access.log(
                new AccessLog.Entry(
                        exchange.id(),
                        seen.span.traceId(),
                        exchange.client().address(),
                        exchange.method(),
                        exchange.path(),
                        status,
                        seconds,
                        error,
                        answer,
                        exchange.ignored(),
                        PROBES.contains(route)));
    }

    private static Optional<Rejection> rejection(ApiException problem) {
        return switch (problem.status()) {
            case 401 -> Optional.of(Rejection.UNAUTHENTICATED);
            case 413 -> Optional.of(Rejection.TOO_LARGE);
            case 415 -> Optional.of(Rejection.UNSUPPORTED_MEDIA_TYPE);
            case 429 -> Optional.of(Rejection.QUEUE_FULL);
            case 503 ->
                    Optional.of(
                            problem.code().equals(Optional.of("draining"))
                                    ? Rejection.DRAINING
                                    : Rejection.LOADING);
            case 404 ->
                    problem.code()
                            .filter("model_not_found"::equals)
                            .map(code -> Rejection.MODEL_NOT_FOUND);
            case 400 ->
                    Optional.of(
                            problem.code().equals(Optional.of("incomplete_body"))
                                    ? Rejection.TIMEOUT
                                    : Rejection.INVALID_REQUEST);
            default -> Optional.empty();
        };
    }

    private AccessLog.Answer answer(ServedModel model, Seen seen) {
        List<Finish> all = seen.finishes;
        Request first = seen.requests.getFirst();
        Optional<Double> firstToken =
                all.stream()
                        .filter(f -> f.newTokens() > 0)
                        .map(f -> f.queueSeconds() + f.prefillSeconds())
                        .min(Double::compare);
        return new AccessLog.Answer(
                model.id(),
                first.prompt().length,
                all.stream().mapToInt(Finish::cachedTokens).max().orElse(0),
                all.stream().mapToInt(Finish::newTokens).sum(),
                all.stream().mapToDouble(Finish::queueSeconds).max().orElse(0),
                firstToken,
                String.join(",", all.stream().map(Telemetry::reason).distinct().toList()),
                model.loaded()
                        .filter(engine -> prompts)
                        .map(engine ->
                                new AccessLog.Texts(
                                        engine.tokenizer().decode(first.prompt(), false),
                                        seen.text.toString())));
    }

    /// In OpenTelemetry's words.
    private static String operation(String route) {
        return route.equals("/v1/completions") ? "text_completion" : "chat";
    }

    private static String reason(Finish finish) {
        return finish.reason().name().toLowerCase(Locale.ROOT);
    }

    @Override
    public AnswerService.Taker started(ServedModel model, List<Request> requests) {
        Seen seen = CURRENT.get();
        seen.model = Optional.of(model);
        seen.requests = requests;
        Request first = requests.getFirst();
        seen.span.asked(
                operation(seen.route),
                model.id(),
                requests.size(),
                first.maxNewTokens(),
                first.sampling().temperature(),
                first.sampling().topP());
        ModelMetrics counts = models.get(model.id());
        if (counts == null) {
            throw new IllegalStateException(model.id() + " is not watched");
        }
        RequestMetrics request = counts.requestStarted(requests.size(), first.maxNewTokens());
        List<RequestMetrics.Answer> answers =
                requests.stream().map(r -> request.answerStarted()).toList();
        return new AnswerService.Taker() {
            @Override
            public void take(AnswerService.Part part) {
                part.tokens().forEach(token -> answers.get(part.index()).token(part.nanos()));
                if (prompts) {
                    seen.text.append(part.text());
                }
            }

            @Override
            public void ended(int index, Finish finish) {
                seen.finishes.add(finish);
                answers.get(index).finished(finish);
            }
        };
    }
}
