package dev.penjing.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A headless Chromium of its own, driven by the DevTools Protocol over one WebSocket. It ends with
/// this object, and with the JVM at the latest.
final class Chromium implements AutoCloseable {
    /// How long anything may take.
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome");

    private static final List<String> FLAGS =
            List.of(
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-dev-shm-usage",
                    // the server under test is all that it may find
                    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                    "--remote-debugging-port=0");

    private final Path profile;
    private final Process process;
    private final Thread atExit;
    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> calls = new ConcurrentHashMap<>();
    private final Map<String, BiConsumer<String, JsonNode>> listeners = new ConcurrentHashMap<>();
    private CompletableFuture<WebSocket> sending = new CompletableFuture<>();

    private Chromium(Path program) throws IOException {
        profile = Files.createTempDirectory("chromium");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(FLAGS);
        command.add("--user-data-dir=" + profile);
        command.add("about:blank");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(profile.resolve("stderr").toFile());
        builder.environment().put("TMPDIR", profile.toString());
        process = builder.start();
        atExit = new Thread(this::end);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /// The program that `PENJING_CHROMIUM` names, else the first of the usual names on the path.
    static Optional<Path> installed() {
        String named = System.getenv("PENJING_CHROMIUM");
        if (named != null && !named.isEmpty()) {
            return Optional.of(Path.of(named));
        }
        List<String> folders = List.of(System.getenv().getOrDefault("PATH", "").split(":"));
        return NAMES.stream()
                .flatMap(name -> folders.stream().map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    static Chromium start(Path program) {
        try {
            Chromium chromium = new Chromium(program);
            try {
                chromium.connect();
                return chromium;
            } catch (IOException | RuntimeException | Error e) {
                chromium.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + program, e);
        }
    }

    private void connect() throws IOException {
        // two lines, written when it listens: the port and the path
        Path told = profile.resolve("DevToolsActivePort");
        await(
                "%s does not listen: %s".formatted(process, profile.resolve("stderr")),
                () -> told,
                file -> !process.isAlive() || lines(file).size() == 2);
        List<String> lines = lines(told);
        if (lines.size() != 2) {
            throw new IOException(
                    "it ended: " + Files.readString(profile.resolve("stderr")).strip());
        }
        sending =
                client.newWebSocketBuilder()
                        .connectTimeout(PATIENCE)
                        .buildAsync(
                                URI.create("ws://127.0.0.1:" + lines.getFirst() + lines.getLast()),
                                new Reader());
        result("connect", sending);
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isRegularFile(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// An empty page that shares neither storage nor permissions with another.
    BrowserPage page() {
        return new BrowserPage(this);
    }

    /// Has all events of a session told, on a thread that must not wait.
    void listen(String session, BiConsumer<String, JsonNode> listener) {
        listeners.put(session, listener);
    }

    /// Calls a method and waits for its result.
    ///
    /// @param session empty for the browser's own methods
    JsonNode call(String session, String method, Map<String, ?> parameters) {
        return result(method, begin(session, method, parameters));
    }

    /// Calls a method.
    CompletableFuture<JsonNode> begin(String session, String method, Map<String, ?> parameters) {
        int id = ids.incrementAndGet();
        ObjectNode message = Wire.JSON.createObjectNode();
        message.put("id", id).put("method", method);
        message.set("params", Wire.JSON.valueToTree(parameters));
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        calls.put(id, answer);
        synchronized (this) {
            sending = sending.thenCompose(socket -> socket.sendText(message.toString(), true));
        }
        return answer;
    }

    private static <T> T result(String what, CompletableFuture<T> future) {
        try {
            return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError(what + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /// Asks again and again until the answer is good.
    static <T> T await(String complaint, Supplier<T> ask, Predicate<T> good) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            T answer = ask.get();
            if (good.test(answer)) {
                return answer;
            }
            if (System.nanoTime() > end) {
                throw new AssertionError(complaint + " (last: " + answer + ")");
            }
            try {
                Thread.sleep(25);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }

    private void take(JsonNode message) {
        CompletableFuture<JsonNode> call = calls.remove(message.path("id").asInt(0));
        if (call == null) {
            BiConsumer<String, JsonNode> listener =
                    listeners.get(message.path("sessionId").asString(""));
            if (listener != null) {
                listener.accept(message.path("method").asString(), message.path("params"));
            }
        } else if (message.has("error")) {
            call.completeExceptionally(new IOException(message.path("error").toString()));
        } else {
            call.complete(message.path("result"));
        }
    }

    private final class Reader implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public @org.jspecify.annotations.Nullable CompletionStage<?> onText(
                WebSocket socket, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                JsonNode message = Wire.JSON.readTree(text.toString());
                text.setLength(0);
                take(message);
            }
            socket.request(1);
            return null;
        }
    }

    private void end() {
        List<ProcessHandle> all =
                Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(
                one -> one.onExit().orTimeout(5, TimeUnit.SECONDS).exceptionally(e -> one).join());
    }

    @Override
    public void close() {
        client.shutdownNow();
        end();
        Runtime.getRuntime().removeShutdownHook(atExit);
        Teachers.delete(profile);
    }
}
