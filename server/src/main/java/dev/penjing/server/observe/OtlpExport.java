package dev.penjing.server.observe;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The only class that touches OpenTelemetry's SDK, so that it is loaded only if traces go out.
final class OtlpExport {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private OtlpExport() {}

    static Tracing open(
            String endpoint, String service, String version, Map<String, String> headers) {
        var exporter =
                OtlpHttpSpanExporter.builder()
                        .setEndpoint(endpoint.replaceAll("/+$", "") + "/v1/traces")
                        .setTimeout(TIMEOUT)
                        .setConnectTimeout(TIMEOUT);
        headers.forEach(exporter::addHeader);
        Resource resource =
                Resource.getDefault()
                        .merge(
                                Resource.create(
                                        Attributes.builder()
                                                .put("service.name", service)
                                                .put("service.version", version)
                                                .build()));
        SdkTracerProvider provider =
                SdkTracerProvider.builder()
                        .setResource(resource)
                        .addSpanProcessor(BatchSpanProcessor.builder(exporter.build()).build())
                        .build();
        OpenTelemetry telemetry =
                new OpenTelemetry() {
                    @Override
                    public TracerProvider getTracerProvider() {
                        return provider;
                    }

                    @Override
                    public ContextPropagators getPropagators() {
                        return ContextPropagators.noop();
                    }
                };
        return new Tracing(
                telemetry,
                () -> provider.shutdown().join(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS));
    }
}
