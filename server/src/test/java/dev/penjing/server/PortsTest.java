package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModels;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/// A port that somebody else has is not shared with them.
class PortsTest {
    private static ServerOptions options(int port, OptionalInt health) {
        return ServerOptions.DEFAULT.with(
                o -> {
                    o.port(port);
                    health.ifPresent(o::healthPort);
                });
    }

    private static ServedModels none() {
        return new ServedModels(List.of(), new Admission(1, 1), Progress.NONE, (line, failure) -> {});
    }

    private static ServerSocket taken() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getByName(ServerOptions.DEFAULT.host()));
    }

    @Test
    void thePortIsTaken() throws IOException {
        try (ServerSocket other = taken();
                ServedModels models = none()) {
            int port = other.getLocalPort();
            assertThatThrownBy(() ->
                            PenjingServer.start(options(port, OptionalInt.empty()), models).close())
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining(":%d: is another program there".formatted(port))
                    .hasMessageEndingWith(" port");
        }
    }

    /// Then nothing listens on the other one.
    @Test
    void theHealthPortIsTaken() throws IOException {
        int free;
        try (ServerSocket socket = taken()) {
            free = socket.getLocalPort();
        }
        try (ServerSocket other = taken();
                ServedModels models = none()) {
            int port = other.getLocalPort();
            assertThatThrownBy(() ->
                            PenjingServer.start(options(free, OptionalInt.of(port)), models)
                                    .close())
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining(":%d: is another program there".formatted(port))
                    .hasMessageEndingWith(" health-port");
        }
        new ServerSocket(free, 1, InetAddress.getByName(ServerOptions.DEFAULT.host())).close();
    }

    @Test
    void bothAreFree() throws IOException {
        int free;
        try (ServerSocket socket = taken()) {
            free = socket.getLocalPort();
        }
        try (ServedModels models = none();
                PenjingServer server =
                        PenjingServer.start(options(0, OptionalInt.of(free)), models);
                Wire main = new Wire(server.port());
                Wire health = new Wire(free)) {
            assertThat(main.get("/v1/health/live").status()).isEqualTo(200);
            assertThat(health.get("/v1/health/live").status()).isEqualTo(200);
            assertThat(health.get("/v1/models").status()).isEqualTo(404);
        }
    }
}
