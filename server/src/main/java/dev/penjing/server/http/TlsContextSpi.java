package dev.penjing.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.KeyManagementException;
import java.security.SecureRandom;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/// A TLS context whose sockets and engines speak TLS 1.2 and 1.3 only, and ask clients for a
/// certificate where they must show one.
///
/// This is a workaround for Helidon 4.5.0 (`HelidonWorkaroundsTest`). Helidon sets the protocols and
/// the demand for a client's certificate on the sockets of its NIO mode only. The server runs TLS
/// without NIO, where Helidon takes sockets from the context as they are. So the context itself
/// configures every socket that it makes.
final class TlsContextSpi extends SSLContextSpi {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final SSLContext context;
    private final boolean clientsMust;

    private TlsContextSpi(SSLContext context, boolean clientsMust) {
        this.context = context;
        this.clientsMust = clientsMust;
    }

    /// @param clientsMust whether clients must show a certificate
    static SSLContext wrap(SSLContext context, boolean clientsMust) {
        return new SSLContext(
                new TlsContextSpi(context, clientsMust), context.getProvider(), "TLS") {};
    }

    @Override
    protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
            throws KeyManagementException {
        throw new KeyManagementException("this context was initialised when it was made");
    }

    @Override
    protected SSLSocketFactory engineGetSocketFactory() {
        return new Sockets(context.getSocketFactory(), clientsMust);
    }

    @Override
    protected SSLServerSocketFactory engineGetServerSocketFactory() {
        return new NoServerSockets(context);
    }

    @Override
    protected SSLEngine engineCreateSSLEngine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setNeedClientAuth(clientsMust);
        return engine;
    }

    @Override
    protected SSLEngine engineCreateSSLEngine(String host, int port) {
        return engineCreateSSLEngine();
    }

    @Override
    protected SSLSessionContext engineGetServerSessionContext() {
        return context.getServerSessionContext();
    }

    @Override
    protected SSLSessionContext engineGetClientSessionContext() {
        return context.getClientSessionContext();
    }

    @Override
    protected SSLParameters engineGetDefaultSSLParameters() {
        return context.getDefaultSSLParameters();
    }

    @Override
    protected SSLParameters engineGetSupportedSSLParameters() {
        return context.getSupportedSSLParameters();
    }

    /// Refuses to make server sockets. A server socket of this context would offer any protocol and
    /// would not ask clients for a certificate. Helidon asks for the factory and does not use it.
    private static final class NoServerSockets extends SSLServerSocketFactory {
        private final SSLContext context;

        NoServerSockets(SSLContext context) {
            this.context = context;
        }

        private static UnsupportedOperationException none() {
            return new UnsupportedOperationException("TLS over accepted sockets only");
        }

        @Override
        public String[] getDefaultCipherSuites() {
            return context.getDefaultSSLParameters().getCipherSuites();
        }

        @Override
        public String[] getSupportedCipherSuites() {
            return context.getSupportedSSLParameters().getCipherSuites();
        }

        @Override
        public ServerSocket createServerSocket() {
            throw none();
        }

        @Override
        public ServerSocket createServerSocket(int port) {
            throw none();
        }

        @Override
        public ServerSocket createServerSocket(int port, int backlog) {
            throw none();
        }

        @Override
        public ServerSocket createServerSocket(int port, int backlog, InetAddress local) {
            throw none();
        }
    }

    /// Makes the server's side of TLS over a connection that was accepted, and refuses all else.
    private static final class Sockets extends SSLSocketFactory {
        private final SSLSocketFactory sockets;
        private final boolean clientsMust;

        Sockets(SSLSocketFactory sockets, boolean clientsMust) {
            this.sockets = sockets;
            this.clientsMust = clientsMust;
        }

        @Override
        public Socket createSocket(Socket accepted, InputStream consumed, boolean autoClose)
                throws IOException {
            SSLSocket socket = (SSLSocket) sockets.createSocket(accepted, consumed, autoClose);
            socket.setEnabledProtocols(PROTOCOLS);
            socket.setUseClientMode(false);
            socket.setNeedClientAuth(clientsMust);
            return socket;
        }

        @Override
        public String[] getDefaultCipherSuites() {
            return sockets.getDefaultCipherSuites();
        }

        @Override
        public String[] getSupportedCipherSuites() {
            return sockets.getSupportedCipherSuites();
        }

        @Override
        public Socket createSocket(Socket s, String host, int port, boolean autoClose) {
            throw new UnsupportedOperationException("server sockets only");
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException("server sockets only");
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException("server sockets only");
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException("server sockets only");
        }

        @Override
        public Socket createSocket(InetAddress a, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException("server sockets only");
        }
    }
}
