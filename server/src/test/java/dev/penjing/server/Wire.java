package dev.penjing.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Requests without a client library, down to the bytes on the wire.
final class Wire implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.builder().build();

    /// An answer as it came.
    record Answer(int status, String body, HttpResponse<String> whole) {
        JsonNode json() {
            return JSON.readTree(body);
        }

        String code() {
            return json().path("error").path("code").asString("");
        }

        String parameter() {
            return json().path("error").path("param").asString("");
        }

        /// The objects of a stream's `data` lines, the last one's `[DONE]` left out.
        List<JsonNode> events() {
            return Wire.events(body);
        }
    }

    private final HttpClient client = HttpClient.newHttpClient();
    private final int port;

    Wire(int port) {
        this.port = port;
    }

    static List<JsonNode> events(String body) {
        return body.lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JSON.readTree(line.substring(6)))
                .toList();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(60));
    }

    HttpRequest post(String path, String json) {
        return request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
    }

    Answer send(HttpRequest request) {
        try {
            HttpResponse<String> answer =
                    client.send(request, HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), answer.body(), answer);
        } catch (IOException e) {
            throw new AssertionError("no answer to " + request, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    Answer get(String path) {
        return send(request(path).build());
    }

    Answer chat(String json) {
        return send(post("/v1/chat/completions", json));
    }

    CompletableFuture<HttpResponse<InputStream>> begin(String path, String json) {
        return client.sendAsync(post(path, json), HttpResponse.BodyHandlers.ofInputStream());
    }

    /// A chat request with one question.
    ///
    /// @param more fields, such as `, "n": 2`
    static String ask(String question, String more) {
        return """
        {"model": "teacher" %s,
         "messages": [{"role": "user", "content": %s}] %s}
        """
                .formatted(
                        more.contains("temperature") ? "" : ", \"temperature\": 0",
                        JSON.writeValueAsString(question),
                        more);
    }

    /// Sends bytes as they are, and returns all that comes back before the connection ends.
    String raw(String text) throws IOException {
        try (Socket socket = open()) {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    Socket open() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(30_000);
        return socket;
    }

    /// As `open`, to a client that has little room for what it does not read.
    Socket openNarrow() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(8192);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(30_000);
        return socket;
    }

    /// How many answers ended in this way, by the server's metrics.
    int finished(String reason) {
        return metric("vllm:request_success_total", "finished_reason=\"%s\"".formatted(reason));
    }

    /// The sum of a metric over all that has this label.
    int metric(String name, String label) {
        return metric(get("/v1/metrics").body(), name, label);
    }

    static int metric(String metrics, String name, String label) {
        return metrics.lines()
                .filter(line -> line.startsWith(name + "{") && line.contains(label))
                .mapToInt(line -> (int) Double.parseDouble(line.substring(line.indexOf('}') + 2)))
                .sum();
    }

    /// The head of a request for a chat.
    static String head(int length) {
        return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Type: application/json\r\nContent-Length: "
                + length
                + "\r\n\r\n";
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
