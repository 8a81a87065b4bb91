package dev.penjing.bench;

import dev.penjing.model.PenjingException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Clients that ask for one streamed chat after the other, each over a connection that stays open.
/// All of them run on one thread, so that they take as little as they can of the machine that the
/// server runs on too.
final class LoadClients implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /// How long a client that was refused waits before it asks again.
    private static final long PAUSE = 200_000_000;

    /// Added to measured times.
    private static final long MOMENT = 1_000_000;

    /// How long an answer may be silent.
    private static final long PATIENCE = 60_000_000_000L;

    private final Selector selector;
    private final InetSocketAddress server;
    private final List<One> clients = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);

    /// What came while it counted.
    final LoadCounts counts;

    private LoadCounts current;

    /// @param work of each client, which it does again and again
    LoadClients(InetSocketAddress server, String model, List<List<LoadRequest>> work)
            throws IOException {
        this.selector = Selector.open();
        this.server = server;
        for (int i = 0; i < work.size(); i++) {
            clients.add(new One(i, work.get(i).stream().map(a -> request(model, a)).toList()));
        }
        counts = new LoadCounts(work.size());
        current = counts;
    }

    private static ByteBuffer request(String model, LoadRequest asking) {
        ObjectNode body = JSON.createObjectNode();
        body.put("model", model).put("temperature", 0).put("stream", true);
        body.put("max_completion_tokens", asking.tokens()).put("ignore_eos", true);
        body.putObject("stream_options").put("include_usage", true);
        body.putArray("messages").addObject().put("role", "user").put("content", asking.question());
        byte[] json = JSON.writeValueAsBytes(body);
        byte[] head =
                ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                                + json.length
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(head.length + json.length).put(head).put(json).flip();
    }

    /// Asks for some time without counting what comes, and goes on for some time and counts it;
    /// then breaks off what is not complete.
    ///
    /// @param tick is told the time every now and then while it counts
    void round(double warmUp, double seconds, Runnable begin, LongConsumer tick) {
        current = new LoadCounts(clients.size());
        run(warmUp, now -> {});
        current = counts;
        begin.run();
        long start = System.nanoTime();
        run(seconds, tick);
        counts.time(System.nanoTime() - start);
        clients.forEach(One::leave);
    }

    private void run(double seconds, LongConsumer tick) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        try {
            for (long now = System.nanoTime(); now < end; now = System.nanoTime()) {
                // what comes within a moment is read together: waking for each chunk would take
                // from
                // the server's cores what clients elsewhere do not
                if (selector.select(this::ready, 100) > 0) {
                    LockSupport.parkNanos(MOMENT);
                }
                tick.accept(now);
                for (One client : clients) {
                    client.look(now);
                }
            }
        } catch (IOException e) {
            throw new PenjingException("the clients failed: " + e.getMessage(), e);
        }
    }

    private void ready(SelectionKey key) {
        if (key.attachment() instanceof One client) {
            client.read();
        }
    }

    @Override
    public void close() {
        clients.forEach(One::leave);
        try {
            selector.close();
        } catch (IOException e) {
            throw new PenjingException("the clients cannot be closed: " + e.getMessage(), e);
        }
    }

    private final class One {
        private final int index;
        private final List<ByteBuffer> work;
        private final EventReader reader = new EventReader();
        private Optional<SocketChannel> channel = Optional.empty();
        private int next;
        private long asked;
        private long last;
        private long pausedUntil;

        /// Whether this connection has brought an answer.
        private boolean proven;

        One(int index, List<ByteBuffer> work) {
            this.index = index;
            this.work = work;
        }

        void look(long now) {
            if (channel.isEmpty() && now >= pausedUntil) {
                try {
                    SocketChannel opened = SocketChannel.open(server);
                    opened.setOption(StandardSocketOptions.TCP_NODELAY, true);
                    opened.configureBlocking(false);
                    opened.register(selector, SelectionKey.OP_READ, this);
                    channel = Optional.of(opened);
                    ask(opened);
                } catch (IOException e) {
                    fail("cannot ask", PAUSE);
                }
            } else if (channel.isPresent() && now - last > PATIENCE) {
                fail("silent for a minute", 0);
            }
        }

        /// A request is far smaller than what a socket takes at once.
        private void ask(SocketChannel to) throws IOException {
            ByteBuffer request = work.get(next++ % work.size()).duplicate();
            reader.reset();
            asked = System.nanoTime();
            last = asked;
            while (request.hasRemaining()) {
                to.write(request);
            }
        }

        void read() {
            SocketChannel from = channel.orElseThrow();
            try {
                int n = from.read(buffer.clear());
                if (n < 0) {
                    lost("closed before the end");
                    return;
                }
                long now = System.nanoTime();
                int before = reader.texts();
                int more = reader.read(buffer.flip());
                for (int i = 0; i < more; i++) {
                    if (before + i == 0) {
                        current.first.add(now - asked);
                    } else {
                        current.between.add(i == 0 ? now - last : 0);
                    }
                }
                current.texts(index, more);
                last = more > 0 ? now : last;
                if (reader.begun() && !reader.good()) {
                    // what it says is not read: the next request goes over a new connection
                    fail(reader.status(), PAUSE);
                } else if (reader.ended()) {
                    answered(from);
                }
            } catch (IOException e) {
                lost("reset");
            }
        }

        private void answered(SocketChannel from) throws IOException {
            current.answer(reader.texts(), reader.tokens());
            proven = true;
            if (reader.closing()) {
                leave();
            } else {
                ask(from);
            }
        }

        /// The server ended the connection. It may: after an answer, and, if it was kept open,
        /// before the next.
        private void lost(String kind) {
            if (reader.complete()) {
                current.answer(reader.texts(), reader.tokens());
                leave();
            } else if (proven && reader.untouched()) {
                next--;
                leave();
            } else {
                fail(kind, 0);
            }
        }

        private void fail(String kind, long pause) {
            current.failed(kind);
            leave();
            pausedUntil = System.nanoTime() + pause;
        }

        void leave() {
            try {
                if (channel.isPresent()) {
                    channel.get().close();
                }
            } catch (IOException e) {
                current.failed("cannot close");
            }
            channel = Optional.empty();
            proven = false;
        }
    }
}
