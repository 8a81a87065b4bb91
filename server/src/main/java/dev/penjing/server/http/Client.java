package dev.penjing.server.http;

import io.helidon.common.socket.HelidonSocket;
import io.helidon.webserver.ConnectionContext;
import java.time.Duration;

/// The other end of a connection: whether it is still there, and how long it may take (its
/// deadline).
///
/// A deadline that passes closes the connection, which ends whatever waits for it: a client that
/// sends its request byte by byte, or does not read its answer, holds nothing for long.
public final class Client {
    private static final long NONE = Long.MAX_VALUE;

    private final HelidonSocket socket;
    private final ReadAheadConnection incoming;
    private final String address;
    private volatile long deadline = NONE;

    Client(ConnectionContext context, ReadAheadConnection incoming) {
        this.socket = context.serverSocket();
        this.incoming = incoming;
        this.address = context.remotePeer().host();
    }

    public String address() {
        return address;
    }

    /// From now on it is noticed when the client leaves, until it sends something more.
    void watch() {
        incoming.readAhead();
    }

    /// Whether the client left while it was watched.
    public boolean gone() {
        return incoming.ended() || !socket.isConnected();
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
            socket.close();
        } catch (RuntimeException e) {
            // closed already
        }
    }
}
