package dev.penjing.server.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyManagementException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/// TLS 1.2 and 1.3 as the server speaks it. A context of our own, because Helidon 4.5.0 forgets the
/// protocols, and that clients must show a certificate, where it does not read by NIO.
public final class ServerTls extends SSLContextSpi {
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};

    private final SSLContext context;
    private final boolean clientsMust;

    private ServerTls(SSLContext context, boolean clientsMust) {
        this.context = context;
        this.clientsMust = clientsMust;
    }

    /// @param chain of the server's certificate
    /// @param clients that sign clients' certificates: one must be shown; empty if none is asked
    ///   for
    /// @throws GeneralSecurityException if key and certificates do not belong together
    public static SSLContext of(
            PrivateKey key, List<X509Certificate> chain, List<X509Certificate> clients)
            throws GeneralSecurityException, IOException {
        checkPair(key, chain.getFirst());
        char[] none = new char[0];
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, none);
        own.setKeyEntry("server", key, none, chain.toArray(X509Certificate[]::new));
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, none);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                keys.getKeyManagers(),
                clients.isEmpty() ? new TrustManager[0] : trust(clients),
                new SecureRandom());
        return new SSLContext(
                new ServerTls(context, !clients.isEmpty()), context.getProvider(), "TLS") {};
    }

    private static TrustManager[] trust(List<X509Certificate> clients)
            throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, new char[0]);
        for (X509Certificate certificate : clients) {
            trusted.setCertificateEntry("client " + trusted.size(), certificate);
        }
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        return trust.getTrustManagers();
    }

    /// What is signed by the key must be what the certificate verifies.
    private static void checkPair(PrivateKey key, X509Certificate certificate)
            throws GeneralSecurityException {
        String algorithm =
                switch (key.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> key.getAlgorithm();
                };
        byte[] text = {1, 2, 3};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(text);
        if (!signature.verify(signed)) {
            throw new GeneralSecurityException("key and certificate do not belong together");
        }
    }

    @Override
    protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
            throws KeyManagementException {
        throw new KeyManagementException("it is made already");
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

    /// Makes none, since the protocols would be forgotten, and that clients must show a
    /// certificate. Helidon asks for the factory and does not use it.
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

    /// Server sockets over accepted ones; all else it refuses.
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
