package dev.penjing.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// HTTP/1.1 connections that are known while they last: a handler finds its client, and clients
/// that take too long are closed. Helidon 4.5.0 has no deadlines for reading headers and bodies, so
/// this selector wraps every connection that Helidon's own would make.
public final class Connections implements ServerConnectionSelector, AutoCloseable {
    private static final ScopedValue<Client> CURRENT = ScopedValue.newInstance();
    private static final Duration LOOK = Duration.ofMillis(250);

    /// Of a request's first line, in bytes.
    private static final int LONGEST_LINE = 8192;

    private final Http1ConnectionSelector http;
    private final Limits limits;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final Thread watch;

    public Connections(Limits limits) {
        this.limits = limits;
        this.http =
                Http1ConnectionSelector.builder()
                        .config(c ->
                                c.maxHeadersSize(limits.headerBytes())
                                        .maxPrologueLength(LONGEST_LINE))
                        .build();
        this.watch = Thread.ofPlatform().daemon().name("penjing-clients").start(this::watch);
    }

    /// The client whose request this thread handles.
    public static Client current() {
        return CURRENT.get();
    }

    public int count() {
        return clients.size();
    }

    @Override
    public int bytesToIdentifyConnection() {
        return http.bytesToIdentifyConnection();
    }

    @Override
    public Support supports(BufferData data) {
        return http.supports(data);
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        ReadAheadConnection incoming = new ReadAheadConnection(context);
        return new Known(http.connection(incoming), new Client(context, incoming));
    }

    /// Begins the time that a client has for its next request, after one was answered.
    public void answered(Client client) {
        client.within(limits.idle());
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(LOOK);
                long now = System.nanoTime();
                clients.forEach(client -> client.closeIfLate(now));
            }
        } catch (InterruptedException e) {
            // the server was closed
        }
    }

    @Override
    public void close() {
        watch.interrupt();
        clients.forEach(Client::close);
    }

    private final class Known implements ServerConnection, InterruptableTask<Void> {
        private final ServerConnection connection;
        private final Client client;

        Known(ServerConnection connection, Client client) {
            this.connection = connection;
            this.client = client;
        }

        @Override
        public void handle(Limit limit) throws InterruptedException {
            clients.add(client);
            client.within(limits.header());
            try {
                ScopedValue.where(CURRENT, client)
                        .call(() -> {
                            connection.handle(limit);
                            return true;
                        });
            } finally {
                clients.remove(client);
            }
        }

        @Override
        public boolean canInterrupt() {
            return connection instanceof InterruptableTask<?> task && task.canInterrupt();
        }

        @Override
        public Duration idleTime() {
            return connection.idleTime();
        }

        @Override
        public void close(boolean interrupt) {
            connection.close(interrupt);
        }
    }
}
