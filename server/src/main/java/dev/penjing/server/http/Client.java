package dev.penjing.server.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;

/// The other end of a connection: whether it is still there, and how long it may take.
///
/// A deadline that passes closes the connection, which ends whatever waits for it: a client that
/// sends its request byte by byte, or does not read its answer, holds nothing for long.
public final class Client {
    private static final long NONE = Long.MAX_VALUE;

    private final ConnectionContext context;
    private final Incoming incoming;
    private volatile long deadline = NONE;

    Client(ConnectionContext context) {
        this.context = context;
        this.incoming = new Incoming(context.dataReader(), context.serverSocket());
    }

    /// The connection, read through this client.
    ConnectionContext context() {
        return new Watched(context, new DataReader(incoming));
    }

    public String address() {
        return context.remotePeer().host();
    }

    /// From now on it is noticed when the client leaves.
    void watch() {
        incoming.readAhead();
    }

    /// Whether the client left while it was watched.
    public boolean gone() {
        return incoming.ended();
    }

    /// What comes next has to be done within this time.
    void within(Duration time) {
        deadline = System.nanoTime() + time.toNanos();
    }

    /// What comes next may take as long as it takes.
    public void unhurried() {
        deadline = NONE;
    }

    void closeIfLate(long now) {
        long due = deadline;
        if (due != NONE && now - due > 0) {
            close();
        }
    }

    /// Ends the connection.
    public void close() {
        try {
            context.serverSocket().close();
        } catch (RuntimeException e) {
            // closed already
        }
    }

    /// A connection whose reader is ours.
    private record Watched(ConnectionContext context, DataReader dataReader)
            implements ConnectionContext {
        @Override
        public ListenerContext listenerContext() {
            return context.listenerContext();
        }

        @Override
        public ExecutorService executor() {
            return context.executor();
        }

        @Override
        public DataWriter dataWriter() {
            return context.dataWriter();
        }

        @Override
        public Router router() {
            return context.router();
        }

        @Override
        public Optional<ProxyProtocolData> proxyProtocolData() {
            return context.proxyProtocolData();
        }

        @Override
        public HelidonSocket serverSocket() {
            return context.serverSocket();
        }

        @Override
        public PeerInfo remotePeer() {
            return context.remotePeer();
        }

        @Override
        public PeerInfo localPeer() {
            return context.localPeer();
        }

        @Override
        public boolean isSecure() {
            return context.isSecure();
        }

        @Override
        public String socketId() {
            return context.socketId();
        }

        @Override
        public String childSocketId() {
            return context.childSocketId();
        }
    }
}
