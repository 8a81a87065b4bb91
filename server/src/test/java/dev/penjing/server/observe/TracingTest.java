package dev.penjing.server.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.penjing.inference.api.Finish;
import dev.penjing.server.settings.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TracingTest {
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String PARENT = "b7ad6b7169203331";
    private static final Finish FINISH =
            new Finish(Finish.Reason.STOP, 12, 4, 50, 0.5, 1.5, 3, 0, 0);

    private record Received(String path, String type, String key, String body) {}

    private final ConcurrentLinkedQueue<Received> received = new ConcurrentLinkedQueue<>();
    private HttpServer collector;

    @BeforeEach
    void start() throws IOException {
        collector =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext(
                "/",
                exchange -> {
                    byte[] body = exchange.getRequestBody().readAllBytes();
                    received.add(
                            new Received(
                                    exchange.getRequestURI().getPath(),
                                    exchange.getRequestHeaders().getFirst("Content-Type"),
                                    String.valueOf(exchange.getRequestHeaders().getFirst("X-Key")),
                                    new String(body, StandardCharsets.ISO_8859_1)));
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
        collector.start();
    }

    @AfterEach
    void stop() {
        collector.stop(0);
    }

    private String endpoint() {
        return "http://127.0.0.1:" + collector.getAddress().getPort();
    }

    private static Function<String, Optional<String>> headers(String... pairs) {
        return name -> {
            for (int i = 0; i < pairs.length; i += 2) {
                if (pairs[i].equals(name)) {
                    return Optional.of(pairs[i + 1]);
                }
            }
            return Optional.empty();
        };
    }

    private static String bytes(String hex) {
        return new String(HexFormat.of().parseHex(hex), StandardCharsets.ISO_8859_1);
    }

    /// A `KeyValue` of OTLP's protocol buffers: the key, then an `AnyValue`.
    private static String attribute(String key, String value) {
        return "\n"
                + (char) key.length()
                + key
                + "\u0012"
                + (char) (value.length() + 2)
                + "\n"
                + (char) value.length()
                + value;
    }

    private static String attribute(String key, int small) {
        return "\n" + (char) key.length() + key + "\u0012\u0002\u0018" + (char) small;
    }

    @Test
    void aSpanArrivesInTheClientsTrace() {
        try (Tracing tracing =
                Tracing.to(endpoint() + "/", "penjing", "0.1.0", Map.of("X-Key", "k"))) {
            RequestSpan span =
                    tracing.start(
                            "POST",
                            "/v1/chat/completions",
                            headers("traceparent", "00-" + TRACE + "-" + PARENT + "-01"));
            assertThat(span.traceId()).contains(TRACE);
            span.asked("chat", "student", 1, 100, 0.5, 1);
            span.answered("chatcmpl-1", "student", List.of("stop"), List.of(FINISH));
            span.end("req-1", 200);
        }

        assertThat(received).hasSize(1);
        Received request = received.element();
        assertThat(request.path()).isEqualTo("/v1/traces");
        assertThat(request.type()).isEqualTo("application/x-protobuf");
        assertThat(request.key()).isEqualTo("k");
        assertThat(request.body())
                .contains(bytes("0a10" + TRACE))
                .contains(bytes("2208" + PARENT))
                .contains("*\u000cchat student")
                .contains(attribute("service.name", "penjing"))
                .contains(attribute("gen_ai.operation.name", "chat"))
                .contains(attribute("gen_ai.request.model", "student"))
                .contains(attribute("gen_ai.request.max_tokens", 100))
                .contains(attribute("gen_ai.usage.input_tokens", 12))
                .contains(attribute("gen_ai.usage.output_tokens", 50))
                .contains(attribute("gen_ai.response.id", "chatcmpl-1"))
                .contains("gen_ai.response.finish_reasons")
                .contains("gen_ai.latency.time_to_first_token")
                .contains(attribute("penjing.request_id", "req-1"))
                .doesNotContain("error.type");
    }

    @Test
    void failuresAreMarkedAndStrangeParentsIgnored() {
        try (Tracing tracing = Tracing.to(endpoint(), "penjing", "0.1.0", Map.of())) {
            RequestSpan span =
                    tracing.start("POST", "/v1/completions", headers("traceparent", "00-zz-\n-01"));
            assertThat(span.traceId()).isPresent();
            span.failed("queue_full");
            span.end("req-1", 429);
        }
        assertThat(received.element().body())
                .contains(attribute("error.type", "queue_full"))
                .contains("POST /v1/completions")
                // Status: code 2
                .contains("z\u0002\u0018\u0002");
    }

    @Test
    void aTraceThatIsNotSampledIsNotSent() {
        try (Tracing tracing = Tracing.to(endpoint(), "penjing", "0.1.0", Map.of())) {
            tracing.start("GET", "/", headers("traceparent", "00-" + TRACE + "-" + PARENT + "-00"))
                    .end("r", 200);
        }
        assertThat(received).isEmpty();
    }

    @Test
    void aCollectorThatIsGoneDoesNoHarm() {
        String gone = endpoint();
        collector.stop(0);
        try (Tracing tracing = Tracing.to(gone, "penjing", "0.1.0", Map.of())) {
            RequestSpan span = tracing.start("GET", "/", headers());
            span.end("r", 200);
        }
        assertThat(received).isEmpty();
    }

    @Test
    void settingsSayWhetherAndWhere() {
        Map<String, String> environment =
                Map.of(
                        "OTEL_EXPORTER_OTLP_ENDPOINT", endpoint(),
                        "OTEL_EXPORTER_OTLP_HEADERS", "X-Key=a%20b+c",
                        "NIM_OTEL_SERVICE_NAME", "mine");
        try (Tracing tracing =
                Tracing.of(Settings.resolve(Map.of(), environment, Optional.empty()), "1")) {
            tracing.start("GET", "/", headers()).end("r", 200);
        }
        assertThat(received.element().key()).isEqualTo("a b+c");
        assertThat(received.element().body()).contains(attribute("service.name", "mine"));
    }

    @Test
    void withoutAnEndpointTheSdkIsNotEvenThere() throws Exception {
        // the class path without OpenTelemetry's SDK and exporter
        List<URL> rest = new ArrayList<>();
        for (String entry :
                System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
            if (!entry.contains("opentelemetry-sdk") && !entry.contains("opentelemetry-exporter")) {
                rest.add(Path.of(entry).toUri().toURL());
            }
        }
        try (URLClassLoader loader =
                new URLClassLoader(
                        rest.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            assertThat(loader.getResource("io/opentelemetry/sdk/trace/SdkTracerProvider.class"))
                    .isNull();
            Class<?> probe = loader.loadClass(Probe.class.getName());
            Object trace = probe.getMethod("run", String.class).invoke(null, TRACE);
            assertThat(trace).isEqualTo(Optional.of(TRACE));
        }
    }

    /// What runs in the test above.
    public static final class Probe {
        private Probe() {}

        public static Optional<String> run(String trace) {
            Settings settings = Settings.resolve(Map.of(), Map.of(), Optional.empty());
            try (Tracing tracing = Tracing.of(settings, "1")) {
                RequestSpan span =
                        tracing.start(
                                "GET",
                                "/",
                                headers("traceparent", "00-" + trace + "-" + PARENT + "-01"));
                span.asked("chat", "student", 2, 1, 1, 1);
                span.answered("id", "student", List.of("stop"), List.of(FINISH));
                span.end("r", 200);
                return span.traceId();
            }
        }
    }
}
