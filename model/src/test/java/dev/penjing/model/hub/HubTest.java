package dev.penjing.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against a hub of our own on loopback: one server with the API, another in the place of the
/// content network that large files are redirected to.
class HubTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final HubModel MODEL = HubModel.parse("hf:org/name");

    @TempDir Path folder;

    private final byte[] weights = new byte[300_000];
    private final byte[] config = "{\"model_type\": \"llama\"}".getBytes(StandardCharsets.UTF_8);
    private final Map<String, Integer> failures = new HashMap<>();
    private final List<String> ranges = new CopyOnWriteArrayList<>();
    private final List<String> leaked = new CopyOnWriteArrayList<>();
    private HttpServer hub = server();
    private HttpServer content = server();
    private boolean gated;
    private boolean corrupt;
    private int breakAfter = -1;

    private static HttpServer server() {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            return server;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @BeforeEach
    void start() {
        new Random(1).nextBytes(weights);
        hub.createContext("/", this::answer);
        content.createContext("/", this::content);
        hub.start();
        content.start();
    }

    @AfterEach
    void stop() {
        hub.stop(0);
        content.stop(0);
    }

    private static String hash(String algorithm, byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance(algorithm);
            for (byte[] part : parts) {
                digest.update(part);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        int left = failures.merge(path, -1, Integer::sum);
        if (left >= 0) {
            exchange.getResponseHeaders().add("Retry-After", "0");
            send(exchange, 503, new byte[0]);
        } else if (gated
                && !"Bearer secret"
                        .equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            send(exchange, 401, new byte[0]);
        } else if (path.equals("/api/models/org/name/revision/main")) {
            send(exchange, 200, ("{\"sha\": \"" + COMMIT + "\"}").getBytes(StandardCharsets.UTF_8));
        } else if (path.equals("/api/models/org/name/tree/" + COMMIT)) {
            byte[] blob = ("blob " + config.length + "\0").getBytes(StandardCharsets.UTF_8);
            String tree =
                    """
                    [{"type": "file", "path": "config.json", "size": %d, "oid": "%s"},
                     {"type": "file", "path": "model.safetensors", "size": 134, "oid": "x",
                      "lfs": {"oid": "%s", "size": %d}},
                     {"type": "file", "path": "pytorch_model.bin", "size": 5, "oid": "x"},
                     {"type": "file", "path": "../../evil.json", "size": 5, "oid": "x"},
                     {"type": "directory", "path": "onnx"}]
                    """
                            .formatted(
                                    config.length,
                                    hash("SHA-1", blob, config),
                                    hash("SHA-256", weights),
                                    weights.length);
            send(exchange, 200, tree.getBytes(StandardCharsets.UTF_8));
        } else if (path.endsWith("/resolve/" + COMMIT + "/config.json")) {
            send(exchange, 200, config);
        } else if (path.endsWith("/resolve/" + COMMIT + "/model.safetensors")) {
            exchange.getResponseHeaders()
                    .add(
                            "Location",
                            "http://localhost:" + content.getAddress().getPort() + "/blob");
            send(exchange, 302, new byte[0]);
        } else {
            send(exchange, 404, new byte[0]);
        }
    }

    private void content(HttpExchange exchange) throws IOException {
        String token = exchange.getRequestHeaders().getFirst("Authorization");
        if (token != null) {
            leaked.add(token);
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D", ""));
        ranges.add("from " + from);
        byte[] rest = Arrays.copyOfRange(weights, from, weights.length);
        if (corrupt) {
            rest[0] ^= 1;
        }
        if (breakAfter >= 0) {
            exchange.sendResponseHeaders(from == 0 ? 200 : 206, rest.length);
            exchange.getResponseBody().write(rest, 0, breakAfter);
            breakAfter = -1;
            exchange.close(); // before all of it was sent
            return;
        }
        send(exchange, from == 0 ? 200 : 206, rest);
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private Hub client(String... more) {
        Map<String, String> environment = new HashMap<>();
        environment.put("HF_ENDPOINT", "http://127.0.0.1:" + hub.getAddress().getPort());
        environment.put("HF_HOME", folder.resolve("home").toString());
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return new Hub(environment);
    }

    @Test
    void fillsTheCacheInTheHubsLayoutAndThenWorksOffline() throws IOException {
        failures.put("/api/models/org/name/revision/main", 2); // passing faults
        Path snapshot = client().snapshot(MODEL, Progress.NONE);
        Path root = folder.resolve("home/hub/models--org--name");
        assertThat(snapshot).isEqualTo(root.resolve("snapshots").resolve(COMMIT));
        assertThat(root.resolve("refs/main")).hasContent(COMMIT);
        assertThat(snapshot.resolve("model.safetensors"))
                .hasBinaryContent(weights)
                .isSymbolicLink();
        assertThat(root.resolve("blobs").resolve(hash("SHA-256", weights))).exists();
        assertThat(snapshot.toFile().list())
                .containsExactlyInAnyOrder("config.json", "model.safetensors");
        stop();
        assertThat(client("HF_HUB_OFFLINE", "1").snapshot(MODEL, Progress.NONE))
                .isEqualTo(snapshot);
        assertThatThrownBy(() ->
                        client("HF_HUB_OFFLINE", "1")
                                .snapshot(HubModel.parse("hf:org/other"), Progress.NONE))
                .hasMessageContaining("not in the cache");
    }

    @Test
    void goesOnWhereItBrokeOff() throws IOException {
        breakAfter = 100_000;
        Path to = folder.resolve("model");
        client().pull(MODEL, to, Progress.NONE);
        assertThat(to.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(ranges).hasSize(2).first().isEqualTo("from 0");
        assertThat(Integer.parseInt(ranges.get(1).substring(5))).isBetween(1, 100_000);
        assertThat(to.resolve("config.json")).hasBinaryContent(config);
        assertThat(Files.list(to)).hasSize(2);
    }

    @Test
    void whatArrivesDamagedIsNotKept() {
        corrupt = true;
        assertThatThrownBy(() -> client().snapshot(MODEL, Progress.NONE))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("model.safetensors arrived damaged");
        assertThat(
                        folder.resolve("home/hub/models--org--name/snapshots")
                                .resolve(COMMIT)
                                .resolve("model.safetensors"))
                .doesNotExist();
    }

    @Test
    void theTokenGoesToTheHubAlone() {
        gated = true;
        assertThatThrownBy(() -> client().snapshot(MODEL, Progress.NONE))
                .hasMessageContaining("HF_TOKEN");
        client("HF_TOKEN", "secret").snapshot(MODEL, Progress.NONE);
        assertThat(ranges).isNotEmpty();
        assertThat(leaked).isEmpty();
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThatThrownBy(() -> client().snapshot(HubModel.parse("hf:no/body@v2"), Progress.NONE))
                .hasMessageContaining("no/body at revision v2");
        for (String source : List.of("hf:name", "hf:../x/y", "org/name", "hf:a/b/c", "hf:a/..")) {
            assertThatThrownBy(() -> HubModel.parse(source)).isInstanceOf(UsageException.class);
        }
    }

    @Test
    void aHubOutOfReachIsSaid() {
        int port = hub.getAddress().getPort();
        stop();
        assertThatThrownBy(() -> client().snapshot(MODEL, Progress.NONE))
                .hasMessageContaining("cannot reach 127.0.0.1")
                .hasMessageContaining("HF_HUB_OFFLINE");
        assertThat(port).isPositive();
    }

    @Test
    void twoAtOnceDoNotDisturbEachOther() throws Exception {
        try (var pool = Executors.newFixedThreadPool(2)) {
            Future<Path> a = pool.submit(() -> client().snapshot(MODEL, Progress.NONE));
            Future<Path> b = pool.submit(() -> client().snapshot(MODEL, Progress.NONE));
            assertThat(a.get().resolve("model.safetensors")).hasBinaryContent(weights);
            assertThat(b.get().resolve("model.safetensors")).hasBinaryContent(weights);
        }
    }
}
