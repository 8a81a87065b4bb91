package dev.penjing.server.settings;

import dev.penjing.model.PenjingException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/// The one rule for what may listen beyond this machine: a server that asks every client who it is,
/// by an API key or by a certificate (mTLS). Without either, anybody who reaches the port could use
/// the models, so such a server listens on the loopback address only.
public final class Exposure {
    private Exposure() {}

    /// @param host the name or address to listen on
    /// @param apiKey whether clients must send a key
    /// @param clientCertificates whether clients must show a certificate
    /// @throws PenjingException if such a server may not listen there
    public static void check(String host, boolean apiKey, boolean clientCertificates) {
        boolean loopback;
        try {
            loopback = InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new PenjingException("host %s is no address of this machine".formatted(host), e);
        }
        if (!loopback && !apiKey && !clientCertificates) {
            throw new PenjingException(
                    "host %s can be reached from other machines: set api-key-file (or the variable PENJING_API_KEY), or ssl-mode mtls, or listen on 127.0.0.1"
                            .formatted(host));
        }
    }
}
