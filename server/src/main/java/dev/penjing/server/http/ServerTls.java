package dev.penjing.server.http;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/// TLS 1.2 and 1.3 as the server speaks it.
///
/// @param context for the server's connections
/// @param clientCertificates whether every client must show a certificate (mTLS)
public record ServerTls(SSLContext context, boolean clientCertificates) {
    /// @param chain of the server's certificate
    /// @param clients certificates that sign clients' ones, of which each client must show one;
    ///   empty if clients need none
    /// @throws GeneralSecurityException if key and certificates do not belong together
    public static ServerTls of(
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
        boolean mutual = !clients.isEmpty();
        return new ServerTls(TlsContextSpi.wrap(context, mutual), mutual);
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
}
