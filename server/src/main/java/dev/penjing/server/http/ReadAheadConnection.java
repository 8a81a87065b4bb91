package dev.penjing.server.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;

/// A connection that can read ahead: while an answer is made and nobody reads the request, a virtual
/// thread waits for the client's next bytes, and so notices when the client closes the connection.
///
/// This is a workaround for Helidon 4.5.0 (`HelidonWorkaroundsTest`). Its `HelidonSocket.idle`, which
/// is there to detect a closed connection, does nothing on NIO sockets. On other sockets it reports a
/// closed connection whenever the client is silent for a tenth of a second.
final class ReadAheadConnection implements ConnectionContext {
    private final ConnectionContext context;
    private final DataReader reader = DataReader.create(this::next);
    private Optional<FutureTask<byte[]>> ahead = Optional.empty();
    private volatile boolean ended;

    ReadAheadConnection(ConnectionContext context) {
        this.context = context;
    }

    /// Begins to read what comes next. To be called by the thread that also reads.
    void readAhead() {
        if (ahead.isEmpty()) {
            FutureTask<byte[]> task = new FutureTask<>(this::read);
            ahead = Optional.of(task);
            Thread.ofVirtual().name("penjing-ahead").start(task);
        }
    }

    /// Whether the other end has closed the connection, or this one.
    boolean ended() {
        return ended;
    }

    private byte[] next() {
        if (ahead.isEmpty()) {
            return read();
        }
        FutureTask<byte[]> task = ahead.get();
        ahead = Optional.empty();
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloseConnectionException("interrupted", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException failure
                    ? failure
                    : new CloseConnectionException("cannot read", e);
        }
    }

    private byte[] read() {
        DataReader source = context.dataReader();
        try {
            source.ensureAvailable();
        } catch (RuntimeException e) {
            ended = true;
            throw e;
        }
        return source.readBytes(source.available());
    }

    @Override
    public DataReader dataReader() {
        return reader;
    }

    @Override
    public DataWriter dataWriter() {
        return context.dataWriter();
    }

    @Override
    public ListenerContext listenerContext() {
        return context.listenerContext();
    }

    @Override
    public ExecutorService executor() {
        return context.executor();
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
