package dev.penjing.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.EngineOptions;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.server.http.ServerTls;
import dev.penjing.server.models.Admission;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import dev.penjing.server.observe.Log;
import dev.penjing.server.settings.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// TLS, and TLS where clients must show a certificate.
class TlsTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir static Path folder;

    @BeforeAll
    static void certificates() throws Exception {
        for (String name : List.of("server", "client", "stranger")) {
            Process keytool =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "keytool")
                                            .toString(),
                                    "-genkeypair",
                                    "-alias",
                                    name,
                                    "-keyalg",
                                    "EC",
                                    "-dname",
                                    "CN=localhost",
                                    "-ext",
                                    "SAN=ip:127.0.0.1",
                                    "-storetype",
                                    "PKCS12",
                                    "-keystore",
                                    folder.resolve(name + ".p12").toString(),
                                    "-storepass",
                                    new String(PASSWORD))
                            .inheritIO()
                            .start();
            assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).isTrue();
            KeyStore store = store(name);
            pem(name + ".key", "PRIVATE KEY", store.getKey(name, PASSWORD).getEncoded());
            pem(name + ".pem", "CERTIFICATE", store.getCertificate(name).getEncoded());
        }
    }

    private static KeyStore store(String name) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(folder.resolve(name + ".p12"))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private static void pem(String file, String kind, byte[] bytes) throws IOException {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        Files.writeString(
                folder.resolve(file),
                "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(kind, text, kind));
    }

    private static Settings settings(String mode) {
        return settings(mode, "127.0.0.1");
    }

    private static Settings settings(String mode, String host) {
        Map<String, String> given =
                new HashMap<>(
                        Map.of(
                                "host",
                                host,
                                "port",
                                "0",
                                "ssl-mode",
                                mode,
                                "ssl-key-path",
                                folder.resolve("server.key").toString(),
                                "ssl-certs-path",
                                folder.resolve("server.pem").toString()));
        if (mode.equals("mtls")) {
            given.put("ssl-ca-certs-path", folder.resolve("client.pem").toString());
        }
        return Settings.resolve(given, Map.of(), Optional.empty());
    }

    private static PenjingServer start(Settings settings) {
        ServedModels models =
                new ServedModels(
                        List.of(
                                new ServedModel(
                                        "teacher",
                                        Path.of("..", "teacher"),
                                        EngineOptions.DEFAULT)),
                        Startup.admission(settings),
                        Progress.NONE,
                        (line, failure) -> {});
        try {
            models.awaitLoaded();
            Log silent =
                    new Log(
                            Log.Level.CRITICAL,
                            false,
                            new PrintStream(OutputStream.nullOutputStream()));
            return PenjingServer.start(Startup.server(settings, silent, List.of()), models);
        } catch (RuntimeException | Error e) {
            models.close();
            throw e;
        }
    }

    /// @param own certificate that the client shows; empty for none
    private static HttpClient client(String own, String... protocols) throws Exception {
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, PASSWORD);
        trusted.setCertificateEntry("server", store("server").getCertificate("server"));
        trust.init(trusted);
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        KeyStore shown = KeyStore.getInstance("PKCS12");
        if (own.isEmpty()) {
            shown.load(null, PASSWORD);
        } else {
            shown = store(own);
        }
        keys.init(shown, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        HttpClient.Builder builder = HttpClient.newBuilder().sslContext(context);
        if (protocols.length > 0) {
            SSLParameters parameters = context.getDefaultSSLParameters();
            parameters.setProtocols(protocols);
            builder.sslParameters(parameters);
        }
        return builder.build();
    }

    private static int chat(PenjingServer server, HttpClient client) throws Exception {
        String address = "https://127.0.0.1:" + server.port();
        try (client) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(address + "/v1/chat/completions"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(Wire.ask("Hello!", "")))
                            .build();
            return client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
        }
    }

    @Test
    void tls() throws Exception {
        try (PenjingServer server = start(settings("tls"))) {
            assertThat(server.address()).startsWith("https://");
            assertThat(chat(server, client(""))).isEqualTo(200);
            assertThat(chat(server, client("", "TLSv1.2"))).isEqualTo(200);
        }
    }

    /// So that it may listen beyond this machine, too, without a key.
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0"})
    void clientsMustShowACertificate(String host) throws Exception {
        try (PenjingServer server = start(settings("mtls", host))) {
            assertThat(chat(server, client("client"))).isEqualTo(200);
            for (String own : List.of("", "stranger")) {
                for (String protocol : List.of("TLSv1.2", "TLSv1.3")) {
                    assertThatThrownBy(() -> chat(server, client(own, protocol)))
                            .as("%s by %s", own, protocol)
                            .isInstanceOf(IOException.class);
                }
            }
        }
    }

    /// Without a key or clients' certificates it is refused, before a model is loaded.
    @Test
    void tlsAloneIsNoLock() {
        Settings open = settings("tls", "0.0.0.0");
        Log log = new Log(Log.Level.CRITICAL, false, System.err);
        assertThatThrownBy(() -> Startup.server(open, log, List.of()))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("ssl-mode mtls");
        ServerOptions closed = Startup.server(settings("tls"), log, List.of());
        try (ServedModels none =
                new ServedModels(
                        List.of(), new Admission(1, 1), Progress.NONE, (line, failure) -> {})) {
            assertThatThrownBy(() -> PenjingServer.start(closed.with(o -> o.host("0.0.0.0")), none))
                    .isInstanceOf(PenjingException.class)
                    .hasMessageContaining("ssl-mode mtls");
        }
    }

    /// Whose sockets would not ask for it.
    @Test
    void noServerSocketsOfItsOwn() {
        Log log = new Log(Log.Level.CRITICAL, false, System.err);
        ServerTls tls = Startup.server(settings("mtls"), log, List.of()).tls().orElseThrow();
        SSLServerSocketFactory factory = tls.context().getServerSocketFactory();
        InetAddress here = InetAddress.getLoopbackAddress();
        List<Callable<ServerSocket>> ways =
                List.of(
                        factory::createServerSocket,
                        () -> factory.createServerSocket(0),
                        () -> factory.createServerSocket(0, 1),
                        () -> factory.createServerSocket(0, 1, here));
        for (Callable<ServerSocket> way : ways) {
            assertThatThrownBy(() -> way.call().close())
                    .isInstanceOf(UnsupportedOperationException.class);
        }
        assertThat(tls.context().createSSLEngine().getNeedClientAuth()).isTrue();
    }

    @Test
    void keyAndCertificateThatDoNotBelongTogether() throws IOException {
        Files.copy(folder.resolve("stranger.pem"), folder.resolve("other.pem"));
        Map<String, String> given =
                Map.of(
                        "ssl-mode", "tls",
                        "ssl-key-path", folder.resolve("server.key").toString(),
                        "ssl-certs-path", folder.resolve("other.pem").toString());
        Settings settings = Settings.resolve(given, Map.of(), Optional.empty());
        Log log = new Log(Log.Level.CRITICAL, false, System.err);
        assertThatThrownBy(() -> Startup.server(settings, log, List.of()))
                .isInstanceOf(PenjingException.class)
                .hasMessageContaining("belong together");
    }
}
