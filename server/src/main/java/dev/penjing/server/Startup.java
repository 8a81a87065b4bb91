package dev.penjing.server;

import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.kernel.Quantization;
import dev.penjing.model.PenjingException;
import dev.penjing.model.PenjingVersion;
import dev.penjing.server.http.Cors;
import dev.penjing.server.http.Keys;
import dev.penjing.server.http.Limits;
import dev.penjing.server.http.ServerTls;
import dev.penjing.server.models.Admission;
import dev.penjing.server.observe.Log;
import dev.penjing.server.observe.Tracing;
import dev.penjing.server.settings.Settings;
import io.helidon.common.configurable.Resource;
import io.helidon.common.tls.Tls;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/// Settings as what they set.
public final class Startup {
    private static final int HEADER_BYTES = 16 << 10;
    private static final Duration IDLE = Duration.ofSeconds(60);

    private Startup() {}

    /// @param examples of what to ask, for the playground
    public static ServerOptions server(Settings settings, Log log, List<String> examples) {
        return new ServerOptions(
                settings.text("host"),
                settings.integer("port"),
                settings.optionalInteger("health-port"),
                new Keys(settings.apiKeys()),
                new Cors(
                        settings.list("cors-allow-origins"),
                        settings.list("cors-allow-methods"),
                        settings.list("cors-allow-headers"),
                        settings.list("cors-expose-headers"),
                        settings.integer("cors-max-age")),
                tls(settings),
                new Limits(
                        settings.integer("max-body-bytes"),
                        HEADER_BYTES,
                        seconds(settings, "header-timeout"),
                        IDLE,
                        seconds(settings, "body-timeout"),
                        seconds(settings, "write-timeout"),
                        seconds(settings, "ping-interval")),
                settings.integer("default-max-tokens"),
                seconds(settings, "request-timeout"),
                seconds(settings, "shutdown-timeout"),
                settings.integer("max-sequences"),
                log,
                settings.flag("log-prompts"),
                Tracing.of(settings, PenjingVersion.version()),
                examples);
    }

    private static Duration seconds(Settings settings, String name) {
        return Duration.ofSeconds(settings.integer(name));
    }

    public static Admission admission(Settings settings) {
        return new Admission(
                settings.integer("max-queued-requests"), settings.whole("max-queued-tokens"));
    }

    /// @param draft model, if there is one
    public static EngineOptions engine(Settings settings, Optional<Path> draft) {
        EngineOptions options =
                EngineOptions.DEFAULT
                        .withThreads(settings.integer("threads"))
                        .withRoom(
                                settings.whole("cache-bytes"),
                                settings.optionalInteger("max-model-len").orElse(0),
                                settings.integer("max-sequences"));
        if (settings.optionalText("quantization").isPresent()) {
            options =
                    options.withQuantization(
                            Quantization.valueOf(
                                    settings.text("quantization").toUpperCase(Locale.ROOT)));
        }
        return draft.isPresent()
                ? options.withDraft(draft.get(), settings.integer("draft-tokens"))
                : options;
    }

    private static Optional<Tls> tls(Settings settings) {
        String mode = settings.text("ssl-mode");
        if (mode.equals("off")) {
            return Optional.empty();
        }
        try {
            io.helidon.common.pki.Keys keys =
                    io.helidon.common.pki.Keys.builder()
                            .pem(pem ->
                                    pem.key(resource(settings, "ssl-key-path"))
                                            .certChain(resource(settings, "ssl-certs-path")))
                            .build();
            List<X509Certificate> clients =
                    mode.equals("mtls")
                            ? io.helidon.common.pki.Keys.builder()
                                    .pem(pem ->
                                            pem.certificates(
                                                    resource(settings, "ssl-ca-certs-path")))
                                    .build()
                                    .certs()
                            : List.of();
            if (mode.equals("mtls") && clients.isEmpty()) {
                throw new PenjingException(
                        "--ssl-ca-certs-path holds no certificate: give those that sign clients' ones, PEM");
            }
            SSLContext context =
                    ServerTls.of(keys.privateKey().orElseThrow(), keys.certChain(), clients);
            return Optional.of(Tls.builder().sslContext(context).build());
        } catch (PenjingException e) {
            throw e;
        } catch (RuntimeException | GeneralSecurityException | IOException e) {
            throw new PenjingException(
                    "the TLS key or certificates cannot be used: give PEM files in --ssl-key-path and --ssl-certs-path that belong together",
                    e);
        }
    }

    private static Resource resource(Settings settings, String name) {
        return Resource.create(Path.of(settings.text(name)));
    }
}
