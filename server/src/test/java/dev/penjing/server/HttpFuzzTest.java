package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.penjing.server.http.Limits;
import dev.penjing.server.observe.Log;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random traffic, from good requests to noise. Whatever comes, the server fails at nothing, keeps
/// its limits, and is afterwards as it was.
///
/// `-Dpenjing.fuzz.requests=100000` lets it go on for longer, `-Dpenjing.fuzz.seed=2` draws others.
class HttpFuzzTest {
    private static final int REQUESTS = Integer.getInteger("penjing.fuzz.requests", 2_000);
    private static final long SEED = Long.getLong("penjing.fuzz.seed", 1);
    private static final int CLIENTS = 24;

    /// Until a connection has to have ended, all answers of the engine included.
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final int ENOUGH = 10;

    private static final Limits LIMITS =
            new Limits(
                    16_000,
                    4096,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(2),
                    Duration.ofMillis(100));

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Map<String, LongAdder> seen = new ConcurrentHashMap<>();

    @TempDir Path folder;

    @Test
    void whateverComes() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Log log =
                new Log(
                        Log.Level.ERROR,
                        false,
                        new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try (TestServer server =
                        TestServer.start(
                                TestServer.Setup.USUAL,
                                o -> o.limits(LIMITS).log(log));
                Wire wire = new Wire(server.port())) {
            play(server.port(), REQUESTS / 4, 0);
            settle(server, wire);
            long memory = memory();
            int threads = threads();
            play(server.port(), REQUESTS - REQUESTS / 4, 1);
            settle(server, wire);
            assertThat(memory() - memory).as("bytes of memory").isLessThan(64L << 20);
            assertThat(threads() - threads).as("threads").isLessThan(CLIENTS / 2);
        }
        assertThat(String.join("\n", failures))
                .as("seed %d; answers were %s", SEED, seen)
                .isEmpty();
        assertThat(bytes.toString(StandardCharsets.UTF_8)).as("the log").isEmpty();
        assertThat(seen.getOrDefault("200", new LongAdder()).sum()).isPositive();
        assertThat(seen.getOrDefault("400", new LongAdder()).sum()).isPositive();
    }

    /// Until all is quiet. Clients that left without a word are closed by deadlines.
    private static void settle(TestServer server, Wire wire) {
        server.awaitIdle();
        assertThat(server.engine().load().freeBlocks()).isEqualTo(server.engine().load().blocks());
        TestServer.await(
                () -> server.server().connections() + " connections are open",
                () -> server.server().connections() == 0);
        assertThat(wire.chat(Wire.ask("Hello!", ", \"max_tokens\": 4")).status()).isEqualTo(200);
    }

    private static long memory() throws InterruptedException {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50);
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }

    /// Virtual ones included.
    private int threads() throws IOException {
        Path file = folder.resolve("threads" + System.nanoTime());
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpThreads(file.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        try (var lines = Files.lines(file)) {
            return (int) lines.filter(line -> line.startsWith("#")).count();
        }
    }

    private void play(int port, int requests, int round) throws InterruptedException {
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            Random random = new Random(SEED * 1_000 + round * 100 + i);
            FuzzWire wire = new FuzzWire(random);
            clients.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                for (int sent = 0;
                                        sent < requests / CLIENTS && failures.size() < ENOUGH;
                                        sent++) {
                                    FuzzWire.Sent next = wire.next();
                                    try {
                                        check(next, exchange(port, next, random.nextInt(2000)));
                                    } catch (AssertionError | RuntimeException | IOException e) {
                                        failures.add("%s\n  %s\n".formatted(e, next));
                                    }
                                }
                            }));
        }
        for (Thread client : clients) {
            client.join();
        }
    }

    /// Sends it.
    ///
    /// @param read bytes that a client that leaves reads before
    /// @return all that came back; empty if the client left
    private static Optional<byte[]> exchange(int port, FuzzWire.Sent sent, int read)
            throws IOException {
        long start = System.nanoTime();
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            boolean closed = !send(socket.getOutputStream(), sent);
            if (sent.manner() == FuzzWire.Manner.LEAVES) {
                return Optional.empty();
            }
            if (sent.manner() == FuzzWire.Manner.RESETS) {
                socket.setSoTimeout(20);
                try {
                    socket.getInputStream().readNBytes(read);
                } catch (IOException e) {
                    // it answers later, or has left itself
                }
                socket.setSoLinger(true, 0);
                return Optional.empty();
            }
            if (sent.manner() == FuzzWire.Manner.HALF_CLOSED && !closed) {
                try {
                    socket.shutdownOutput();
                } catch (IOException e) {
                    // it has closed
                }
            }
            byte[] all = read(socket.getInputStream(), sent);
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new AssertionError(
                        "it went on for " + (System.nanoTime() - start) / 1e9 + " s");
            }
            return Optional.of(all);
        }
    }

    /// @return whether the server took all of it
    private static boolean send(OutputStream out, FuzzWire.Sent sent) {
        byte[] bytes = sent.bytes();
        int piece = sent.manner() == FuzzWire.Manner.SLOW ? bytes.length / 5 + 1 : bytes.length;
        try {
            for (int at = 0; at < bytes.length; at += piece) {
                out.write(bytes, at, Math.min(piece, bytes.length - at));
                if (piece < bytes.length) {
                    Thread.sleep(30);
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static byte[] read(InputStream in, FuzzWire.Sent sent) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        try {
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                all.write(part, 0, n);
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("it hangs, after " + all.size() + " bytes", e);
        } catch (IOException e) {
            // reset, as it left more unread than it wanted to know
            if (sent.answers() >= 0) {
                throw e;
            }
        }
        return all.toByteArray();
    }

    private void check(FuzzWire.Sent sent, Optional<byte[]> came) {
        if (came.isEmpty()) {
            return;
        }
        List<RawAnswer> answers = RawAnswer.all(came.get(), sent.bodies());
        if (sent.answers() >= 0) {
            assertThat(answers).as("answers").hasSize(sent.answers());
        }
        for (RawAnswer answer : answers) {
            seen.computeIfAbsent(Integer.toString(answer.status()), s -> new LongAdder())
                    .increment();
            if (sent.answers() >= 0) {
                assertThat(answer.complete()).as("whole: %s", answer).isTrue();
            }
            if (answer.complete()) {
                check(answer, sent.bodies());
            }
        }
    }

    private static void check(RawAnswer answer, boolean bodies) {
        assertThat(answer.status() < 500 || answer.status() == 503).as("%s", answer).isTrue();
        if (answer.isError() && bodies) {
            assertThat(answer.header("content-type"))
                    .as("%s", answer)
                    .isEqualTo("application/json");
            OpenAiSchema.check("ErrorResponse", answer.body());
        }
        if (answer.header("content-type").startsWith("text/event-stream")) {
            List<String> data = answer.body().lines().filter(l -> l.startsWith("data: ")).toList();
            assertThat(data).as("%s", answer).isNotEmpty();
            assertThat(data.getLast())
                    .matches(
                            "data: (\\[DONE]|\\{\"error\".*|\\{\"type\":\"(response\\.(completed|incomplete|failed)|error)\".*)");
            assertThat(answer.body()).doesNotContain("internal_error");
        } else if (answer.header("content-type").equals("application/json") && bodies) {
            Wire.JSON.readTree(answer.body());
        }
    }
}
