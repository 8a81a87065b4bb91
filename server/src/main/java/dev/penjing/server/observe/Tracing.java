package dev.penjing.server.observe;

import dev.penjing.server.settings.Settings;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Traces by OpenTelemetry: a span a request, which goes on the client's own trace. Thread-safe.
///
/// Without an endpoint it does nothing, and loads nothing but OpenTelemetry's API.
public final class Tracing implements AutoCloseable {
    private static final Headers HEADERS = new Headers();

    private final Tracer tracer;
    private final AutoCloseable export;

    Tracing(OpenTelemetry telemetry, AutoCloseable export) {
        this.tracer = telemetry.getTracer("dev.penjing.server");
        this.export = export;
    }

    /// Traces nothing.
    public static Tracing off() {
        return new Tracing(OpenTelemetry.noop(), () -> {});
    }

    /// Traces go to a collector by OTLP over HTTP. One that cannot be reached costs nothing but
    /// lines in the log.
    ///
    /// @param endpoint such as `http://localhost:4318`; `/v1/traces` is added
    /// @param service what the server is called
    /// @param version of the server
    /// @param headers sent along
    public static Tracing to(
            String endpoint, String service, String version, Map<String, String> headers) {
        return OtlpExport.open(endpoint, service, version, headers);
    }

    public static Tracing of(Settings settings, String version) {
        return settings.traceEndpoint()
                .map(endpoint ->
                        to(
                                endpoint,
                                settings.text("otel-service-name"),
                                version,
                                headers(settings.list("otel-headers"))))
                .orElseGet(Tracing::off);
    }

    /// `name=value`, the value URL-encoded, as OpenTelemetry's variable has them.
    static Map<String, String> headers(List<String> pairs) {
        Map<String, String> headers = new LinkedHashMap<>();
        for (String pair : pairs) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                String value = pair.substring(equals + 1).strip();
                headers.put(
                        pair.substring(0, equals).strip(),
                        URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8));
            }
        }
        return headers;
    }

    /// A request that came.
    ///
    /// @param route the pattern that matched
    /// @param headers of the request by name; `traceparent` and `tracestate` are read
    public RequestSpan start(
            String method, String route, Function<String, Optional<String>> headers) {
        Context parent =
                W3CTraceContextPropagator.getInstance().extract(Context.root(), headers, HEADERS);
        Span span =
                tracer.spanBuilder(method + " " + route)
                        .setParent(parent)
                        .setSpanKind(SpanKind.SERVER)
                        .setAttribute("http.request.method", method)
                        .setAttribute("http.route", route)
                        .startSpan();
        return new RequestSpan(span);
    }

    /// Sends what is left, for five seconds at most.
    @Override
    public void close() {
        try {
            export.close();
        } catch (Exception e) {
            throw new IllegalStateException("the traces cannot be closed", e);
        }
    }

    private static final class Headers
            implements TextMapGetter<Function<String, Optional<String>>> {
        @Override
        public Iterable<String> keys(Function<String, Optional<String>> headers) {
            return List.of("traceparent", "tracestate");
        }

        @Override
        public @Nullable String get(
                @Nullable Function<String, Optional<String>> headers, String name) {
            return headers == null ? null : headers.apply(name).orElse(null);
        }
    }
}
