package dev.penjing.model.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// A hub on loopback with one repository, `org/name`, which is a model or a data set: the API on
/// one server, and in the place of the content network that large files are redirected to another,
/// under another host name.
final class FakeHub implements AutoCloseable {
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final int LARGE = 50_000;

    /// @param from the first byte that was asked for
    record Request(String server, String method, String path, long from, Optional<String> token) {}

    final Map<String, byte[]> files = new TreeMap<>();
    final List<Request> requests = new CopyOnWriteArrayList<>();

    /// How often a path of the API still answers 503.
    final Map<String, Integer> busy = new ConcurrentHashMap<>();

    /// More paths in the tree.
    final List<String> listed = new ArrayList<>();

    /// Answers of the content network that break off after `breakAt` bytes.
    final AtomicInteger breaks = new AtomicInteger();

    volatile int breakAt;
    volatile boolean stalls;
    volatile boolean wholeOnly;
    volatile boolean corrupt;
    volatile boolean gated;
    volatile boolean hidden;
    volatile boolean linkedElsewhere;
    volatile boolean dataset;
    volatile int expired;
    volatile int pageSize = 1000;
    volatile long claimedSize = -1;

    /// Each request for content counts it down, and is answered when it is open.
    volatile CountDownLatch gate = new CountDownLatch(0);

    final AtomicInteger atOnce = new AtomicInteger();
    final AtomicInteger mostAtOnce = new AtomicInteger();

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpServer hub = server(this::answer);
    private final HttpServer content = server(this::content);

    private interface Answer {
        void to(HttpExchange exchange) throws IOException, InterruptedException;
    }

    private HttpServer server(Answer answer) {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
            server.setExecutor(threads);
            server.createContext(
                    "/",
                    exchange -> {
                        try (exchange) {
                            answer.to(exchange);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    });
            server.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    static String hash(byte[] content) {
        try {
            if (content.length >= LARGE) {
                return HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            }
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update(("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(git.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    List<Request> requests(String server) {
        return requests.stream()
                .filter(r -> r.server().equals(server) && r.method().equals("GET"))
                .toList();
    }

    private static long from(HttpExchange exchange) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        return range == null ? 0 : Long.parseLong(range.replaceAll("bytes=(\\d+)-.*", "$1"));
    }

    private void note(String server, HttpExchange exchange) {
        requests.add(
                new Request(
                        server,
                        exchange.getRequestMethod(),
                        exchange.getRequestURI().getRawPath(),
                        from(exchange),
                        Optional.ofNullable(
                                exchange.getRequestHeaders().getFirst("Authorization"))));
    }

    private void answer(HttpExchange exchange) throws IOException {
        note("hub", exchange);
        String path = exchange.getRequestURI().getRawPath();
        boolean known =
                "Bearer secret".equals(exchange.getRequestHeaders().getFirst("Authorization"));
        String api = api();
        String page = dataset ? "/datasets/org/name/" : "/org/name/";
        if (busy.merge(path, -1, Integer::sum) >= 0) {
            exchange.getResponseHeaders().add("Retry-After", "0");
            send(exchange, 503, "");
        } else if (hidden && !known) {
            send(exchange, 401, "");
        } else if (!path.startsWith(page) && !path.startsWith(api)) {
            error(exchange, 404, "RepoNotFound");
        } else if (path.equals(api + "/revision/main")
                || path.equals(api + "/revision/refs%2Fpr%2F1")
                || path.equals(api + "/revision/" + COMMIT)) {
            send(exchange, 200, "{\"id\": \"org/name\", \"sha\": \"" + COMMIT + "\"}");
        } else if (path.startsWith(api + "/revision/")) {
            error(exchange, 404, "RevisionNotFound");
        } else if (path.equals(api + "/tree/" + COMMIT)) {
            tree(exchange);
        } else if (gated && !known) {
            error(exchange, 403, "GatedRepo");
        } else if (path.startsWith(page + "resolve/" + COMMIT + "/")) {
            String decoded = exchange.getRequestURI().getPath();
            file(exchange, decoded.substring((page + "resolve/" + COMMIT + "/").length()));
        } else {
            error(exchange, 404, "EntryNotFound");
        }
    }

    private String api() {
        return "/api/" + (dataset ? "datasets" : "models") + "/org/name";
    }

    private void tree(HttpExchange exchange) throws IOException {
        List<String> entries = new ArrayList<>();
        entries.add("{\"type\": \"directory\", \"path\": \"onnx\", \"oid\": \"x\", \"size\": 0}");
        for (String path : listed) {
            entries.add(
                    "{\"type\": \"file\", \"path\": \"%s\", \"size\": 5, \"oid\": \"%s\"}"
                            .formatted(path, COMMIT));
        }
        files.forEach((path, bytes) -> {
            long size = claimedSize < 0 ? bytes.length : claimedSize;
            entries.add(
                    bytes.length < LARGE
                            ? "{\"type\": \"file\", \"path\": \"%s\", \"size\": %d, \"oid\": \"%s\"}"
                                    .formatted(path, bytes.length, hash(bytes))
                            : "{\"type\": \"file\", \"path\": \"%s\", \"size\": %d, \"oid\": \"x\", \"lfs\": {\"oid\": \"%s\", \"size\": %d, \"pointerSize\": 134}}"
                                    .formatted(path, size, hash(bytes), size));
        });
        String query = exchange.getRequestURI().getQuery();
        int first =
                query.contains("cursor=") ? Integer.parseInt(query.replaceAll(".*cursor=", "")) : 0;
        int end = Math.min(entries.size(), first + pageSize);
        if (end < entries.size()) {
            exchange.getResponseHeaders()
                    .add(
                            "Link",
                            "<%s%s/tree/%s?recursive=true&cursor=%d>; rel=\"next\""
                                    .formatted(endpoint(), api(), COMMIT, end));
        }
        send(exchange, 200, "[" + String.join(",", entries.subList(first, end)) + "]");
    }

    private void file(HttpExchange exchange, String name) throws IOException {
        byte[] bytes = files.get(name);
        if (bytes == null) {
            error(exchange, 404, "EntryNotFound");
            return;
        }
        exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
        if (bytes.length < LARGE) {
            exchange.getResponseHeaders().add("ETag", "\"" + hash(bytes) + "\"");
            send(exchange, 200, bytes);
            return;
        }
        String tag = linkedElsewhere ? "0".repeat(64) : hash(bytes);
        exchange.getResponseHeaders().add("X-Linked-Etag", "\"" + tag + "\"");
        exchange.getResponseHeaders().add("X-Linked-Size", Integer.toString(bytes.length));
        exchange.getResponseHeaders()
                .add(
                        "Location",
                        "http://localhost:%d/%s"
                                .formatted(
                                        content.getAddress().getPort(), name.replace(" ", "%20")));
        send(exchange, 302, "");
    }

    private void content(HttpExchange exchange) throws IOException, InterruptedException {
        note("content", exchange);
        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
        try {
            gate.countDown();
            gate.await();
            if (expired > 0) {
                expired--;
                send(exchange, 403, "");
                return;
            }
            byte[] bytes =
                    files.getOrDefault(exchange.getRequestURI().getPath().substring(1), new byte[0])
                            .clone();
            if (corrupt) {
                bytes[bytes.length - 1] ^= 1;
            }
            int from = wholeOnly ? 0 : (int) from(exchange);
            int length = bytes.length - from;
            if (from > 0) {
                exchange.getResponseHeaders()
                        .add(
                                "Content-Range",
                                "bytes %d-%d/%d".formatted(from, bytes.length - 1, bytes.length));
            }
            boolean broken = breaks.getAndDecrement() > 0;
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, length);
            exchange.getResponseBody()
                    .write(bytes, from, broken ? Math.min(breakAt, length) : length);
            exchange.getResponseBody().flush();
            if (broken && stalls) {
                Thread.sleep(5_000);
            }
        } finally {
            atOnce.decrementAndGet();
        }
    }

    private static void error(HttpExchange exchange, int status, String code) throws IOException {
        exchange.getResponseHeaders().add("X-Error-Code", code);
        send(exchange, status, "");
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        send(exchange, status, body.getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().add("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        hub.stop(0);
        content.stop(0);
        threads.shutdownNow();
    }
}
