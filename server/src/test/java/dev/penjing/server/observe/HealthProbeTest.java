package dev.penjing.server.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthProbeTest {
    private final AtomicInteger status = new AtomicInteger(200);
    private HttpServer server;
    private String port;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    boolean known = exchange.getRequestURI().getPath().equals("/v1/health/ready");
                    exchange.sendResponseHeaders(known ? status.get() : 404, -1);
                    exchange.close();
                });
        server.start();
        port = Integer.toString(server.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void readyIsReady() {
        assertThat(HealthProbe.trouble(Map.of("NIM_SERVER_PORT", port))).isEmpty();
    }

    @Test
    void loadingIsNot() {
        status.set(503);
        assertThat(HealthProbe.trouble(Map.of("NIM_SERVER_PORT", port)))
                .hasValueSatisfying(t -> assertThat(t).endsWith("/v1/health/ready says 503"));
    }

    @Test
    void goneIsNot() {
        server.stop(0);
        assertThat(HealthProbe.trouble(Map.of("NIM_SERVER_PORT", port)))
                .hasValueSatisfying(t -> assertThat(t).endsWith("does not answer"));
    }

    @Test
    void theHealthPortComesFirst() {
        Map<String, String> tls =
                Map.of(
                        "NIM_SERVER_PORT", "1",
                        "NIM_SSL_MODE", "tls",
                        "NIM_SSL_KEY_PATH", "k",
                        "NIM_SSL_CERTS_PATH", "c");
        assertThat(HealthProbe.trouble(tls))
                .hasValueSatisfying(t -> assertThat(t).contains("NIM_HEALTH_PORT"));

        Map<String, String> both = new java.util.HashMap<>(tls);
        both.put("NIM_HEALTH_PORT", port);
        assertThat(HealthProbe.trouble(both)).isEmpty();
    }
}
