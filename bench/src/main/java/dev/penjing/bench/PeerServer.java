package dev.penjing.bench;

import dev.penjing.model.PenjingException;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Another server with OpenAI's interface, on this machine.
///
/// @param model that it serves, the first one if there are several
record PeerServer(InetSocketAddress address, String model) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// @param url such as `http://127.0.0.1:8080`
    /// @throws UsageException if that is no address of this machine
    /// @throws PenjingException if nothing that serves a model answers there
    static PeerServer at(String url) {
        URI uri = uri(url);
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest models =
                    HttpRequest.newBuilder(uri.resolve("/v1/models"))
                            .timeout(Duration.ofSeconds(10))
                            .build();
            String body = client.send(models, HttpResponse.BodyHandlers.ofString()).body();
            String model = JSON.readTree(body).at("/data/0/id").asString("");
            if (model.isEmpty()) {
                throw new PenjingException(
                        "%s names no model at /v1/models: give the address of a server with OpenAI's interface that is ready"
                                .formatted(url));
            }
            return new PeerServer(new InetSocketAddress(uri.getHost(), uri.getPort()), model);
        } catch (IOException | JacksonException e) {
            throw new PenjingException(
                    "%s does not answer: start the peer first".formatted(url), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PenjingException("interrupted", e);
        }
    }

    private static URI uri(String url) {
        try {
            URI uri = URI.create(url);
            boolean good =
                    "http".equals(uri.getScheme())
                            && uri.getHost() != null
                            && uri.getPort() > 0
                            && InetAddress.getByName(uri.getHost()).isLoopbackAddress();
            if (good) {
                return uri;
            }
        } catch (IllegalArgumentException | UnknownHostException e) {
            // said below
        }
        throw new UsageException(
                "--peer %s is no address of this machine: give one such as http://127.0.0.1:8080"
                        .formatted(url));
    }
}
