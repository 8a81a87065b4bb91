package dev.penjing.server.observe;

import dev.penjing.inference.api.EngineLoad;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/// What the server counts, for Prometheus. Thread-safe.
///
/// Names and buckets are vLLM's (which NIM passes on since 2.0); what NIM 1.x called by a name of
/// its own is there under that name too. Beside them are Prometheus' usual `process_*` and `jvm_*`.
public final class ServerMetrics {
    private static final Set<String> METHODS =
            Set.of("GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH");
    private static final String[] LABELS = {"model_name", "engine"};

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Map<String, ModelMetrics> models = new ConcurrentSkipListMap<>();
    private final LongSupplier clock;

    final Counter promptTokens =
            counter("vllm:prompt_tokens", "prompt_tokens", "Tokens of prompts.");
    final Counter generationTokens =
            counter("vllm:generation_tokens", "generation_tokens", "Tokens of answers.");
    final Counter finished =
            counter(
                    "vllm:request_success", "request_finish",
                    "Answers that ended, by how.", "finished_reason");
    final Counter succeeded =
            counter("request_success", "", "Answers that ended as they should.");
    final Counter failed = counter("request_failure", "", "Answers that failed.");
    final Counter prefixQueries =
            counter(
                    "vllm:prefix_cache_queries",
                    "",
                    "Tokens looked for in the cache of prompts' beginnings.");
    final Counter prefixHits =
            counter(
                    "vllm:prefix_cache_hits",
                    "",
                    "Tokens found in the cache of prompts' beginnings.");
    final Histogram firstToken =
            histogram(
                    "vllm:time_to_first_token_seconds",
                    Buckets.FIRST_TOKEN,
                    "Seconds from the request to its first token.",
                    "time_to_first_token_seconds");
    final Histogram interToken =
            histogram(
                    "vllm:inter_token_latency_seconds",
                    Buckets.TOKEN,
                    "Seconds from one token to the next.",
                    "vllm:time_per_output_token_seconds",
                    "time_per_output_token_seconds");
    final Histogram timePerToken =
            histogram(
                    "vllm:request_time_per_output_token_seconds",
                    Buckets.TOKEN,
                    "Seconds a token, the first left out, as a mean over an answer.");
    final Histogram endToEnd =
            histogram(
                    "vllm:e2e_request_latency_seconds",
                    Buckets.REQUEST,
                    "Seconds from the request to the end of its answer.",
                    "e2e_request_latency_seconds");
    final Histogram queue =
            histogram("vllm:request_queue_time_seconds", Buckets.REQUEST, "Seconds waiting.");
    final Histogram prefill =
            histogram(
                    "vllm:request_prefill_time_seconds",
                    Buckets.REQUEST,
                    "Seconds from the start of the work to the first token.");
    final Histogram decode =
            histogram(
                    "vllm:request_decode_time_seconds",
                    Buckets.REQUEST,
                    "Seconds from the first token to the last.");
    final Histogram inference =
            histogram(
                    "vllm:request_inference_time_seconds",
                    Buckets.REQUEST,
                    "Seconds from the start of the work to the last token.");
    final Histogram paramsN =
            histogram("vllm:request_params_n", Buckets.ANSWERS, "The request's n.");
    final Histogram requestPrompt;
    final Histogram requestGeneration;
    final Histogram paramsMaxTokens;
    private final Counter rejected =
            Counter.builder()
                    .name("penjing_requests_rejected")
                    .help("Requests refused before they reached a model, by why.")
                    .labelNames("reason")
                    .withoutExemplars()
                    .register(registry);
    private final Counter answered =
            Counter.builder()
                    .name("http_requests")
                    .help("Requests answered, by route, method and status.")
                    .labelNames("handler", "method", "status")
                    .withoutExemplars()
                    .register(registry);
    private final Histogram answeredIn =
            Histogram.builder()
                    .name("http_request_duration_seconds")
                    .help("Seconds from a request to the end of the answer, by route.")
                    .labelNames("handler")
                    .classicOnly()
                    .classicUpperBounds(Buckets.FIRST_TOKEN)
                    .withoutExemplars()
                    .register(registry);

    /// @param longestContext of all models: where the buckets of token counts end
    public ServerMetrics(int longestContext) {
        this(longestContext, System::nanoTime);
    }

    ServerMetrics(int longestContext, LongSupplier clock) {
        this.clock = clock;
        double[] tokens = Buckets.tokens(longestContext);
        requestPrompt =
                histogram(
                        "vllm:request_prompt_tokens",
                        tokens,
                        "Tokens of a prompt.",
                        "request_prompt_tokens");
        requestGeneration =
                histogram(
                        "vllm:request_generation_tokens",
                        tokens,
                        "Tokens of an answer.",
                        "request_generation_tokens");
        paramsMaxTokens =
                histogram("vllm:request_params_max_tokens", tokens, "The request's max_tokens.");
        for (Rejection reason : Rejection.values()) {
            rejected.initLabelValues(reason.label());
        }
        engineMetrics();
        JvmMetrics.builder().register(registry);
    }

    /// What the engines themselves count, asked for at every scrape.
    private void engineMetrics() {
        gauge(
                "vllm:num_requests_running",
                "num_requests_running",
                "Answers being made.",
                m -> m.load().running());
        gauge(
                "vllm:num_requests_waiting",
                "num_requests_waiting",
                "Requests that wait.",
                m -> m.load().waiting());
        gauge(
                "vllm:kv_cache_usage_perc",
                "gpu_cache_usage_perc",
                "The share of keys' and values' memory in use, 0 to 1.",
                ServerMetrics::cacheUse);
        gauge("num_request_max", "", "The most answers made at once.", ModelMetrics::maxSequences);
        counted(
                "vllm:num_preemptions",
                "Answers put back to make room: this engine never does.",
                m -> 0);
        counted(
                "vllm:spec_decode_num_draft_tokens",
                "Tokens that a draft proposed.",
                m -> m.load().draft().proposed());
        counted(
                "vllm:spec_decode_num_accepted_tokens",
                "Tokens of a draft that were accepted.",
                m -> m.load().draft().accepted());
    }

    private static double cacheUse(ModelMetrics model) {
        EngineLoad load = model.load();
        return load.blocks() > 0 ? 1 - (double) load.freeBlocks() / load.blocks() : 0;
    }

    private void gauge(
            String name, String alias, String help, ToDoubleFunction<ModelMetrics> value) {
        GaugeWithCallback gauge =
                GaugeWithCallback.builder()
                        .name(name)
                        .help(help)
                        .labelNames(LABELS)
                        .callback(call ->
                                models.values()
                                        .forEach(
                                                m -> call.call(value.applyAsDouble(m), m.labels())))
                        .register(registry);
        if (!alias.isEmpty()) {
            registry.register(new MetricAlias(gauge, alias));
        }
    }

    private void counted(String name, String help, ToDoubleFunction<ModelMetrics> value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(LABELS)
                .callback(call ->
                        models.values().forEach(m -> call.call(value.applyAsDouble(m), m.labels())))
                .register(registry);
    }

    /// @param name without `_total`, which the exposition adds
    private Counter counter(String name, String alias, String help, String... more) {
        String[] labels = java.util.Arrays.copyOf(LABELS, LABELS.length + more.length);
        System.arraycopy(more, 0, labels, LABELS.length, more.length);
        Counter counter =
                Counter.builder()
                        .name(name)
                        .help(help)
                        .labelNames(labels)
                        .withoutExemplars()
                        .register(registry);
        if (!alias.isEmpty()) {
            registry.register(new MetricAlias(counter, alias));
        }
        return counter;
    }

    private Histogram histogram(String name, double[] bounds, String help, String... aliases) {
        Histogram histogram =
                Histogram.builder()
                        .name(name)
                        .help(help)
                        .labelNames(LABELS)
                        .classicOnly()
                        .classicUpperBounds(bounds)
                        .withoutExemplars()
                        .register(registry);
        for (String alias : aliases) {
            registry.register(new MetricAlias(histogram, alias));
        }
        return histogram;
    }

    long now() {
        return clock.getAsLong();
    }

    /// The metrics of a model; there from now on, with zeros.
    ///
    /// @param id as clients call it
    /// @param maxSequences that the engine runs at once
    /// @param load read at every scrape; must be quick
    /// @throws IllegalStateException if there is one of this id
    public ModelMetrics forModel(String id, int maxSequences, Supplier<EngineLoad> load) {
        ModelMetrics model = new ModelMetrics(this, id, maxSequences, load);
        if (models.putIfAbsent(id, model) != null) {
            throw new IllegalStateException("the metrics of " + id + " are there already");
        }
        return model;
    }

    /// A request that was refused.
    public void rejected(Rejection reason) {
        rejected.labelValues(reason.label()).inc();
    }

    /// A request that was answered, with whatever status.
    ///
    /// @param route the pattern that matched, never the client's own path: each is a series
    public void answered(String route, String method, int status, double seconds) {
        String known = METHODS.contains(method) ? method : "other";
        answered.labelValues(route, known, Integer.toString(status)).inc();
        answeredIn.labelValues(route).observe(seconds);
    }

    /// @param contentType of the header
    public record Exposition(String contentType, byte[] body) {}

    /// All metrics in Prometheus' text format.
    public String scrape() {
        return new String(scrape(Optional.empty()).body(), StandardCharsets.UTF_8);
    }

    /// @param accept the request's header: asks for OpenMetrics, or it is the text format
    public Exposition scrape(Optional<String> accept) {
        ExpositionFormats formats = ExpositionFormats.init();
        ExpositionFormatWriter writer =
                accept.filter(a -> a.contains("application/openmetrics-text")).isPresent()
                        ? formats.getOpenMetricsTextFormatWriter()
                        : formats.getPrometheusTextFormatWriter();
        ByteArrayOutputStream out = new ByteArrayOutputStream(32 << 10);
        try {
            writer.write(out, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Exposition(writer.getContentType(), out.toByteArray());
    }
}
