package dev.penjing.server;

import dev.penjing.inference.EngineOptions;
import dev.penjing.inference.kernel.WeightFormat;
import dev.penjing.model.PenjingException;
import dev.penjing.model.PenjingVersion;
import dev.penjing.server.http.ApiKeys;
import dev.penjing.server.http.Cors;
import dev.penjing.server.http.Limits;
import dev.penjing.server.http.ServerTls;
import dev.penjing.server.models.Admission;
import dev.penjing.server.observe.Log;
import dev.penjing.server.observe.Tracing;
import dev.penjing.server.settings.Settings;
import io.helidon.common.configurable.Resource;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Settings as what they set.
public final class Startup {

    private Startup() {}

    /// @param examples of what to ask, for the playground
    /// @throws PenjingException if the server may not listen there, or a file of keys or
    ///   certificates cannot be used
    public static ServerOptions server(Settings settings, Log log, List<String> examples) {
        settings.checkExposure();
        return ServerOptions.DEFAULT.with(options -> {
            options.host(settings.text("host"))
                    .port(settings.integer("port"))
                    .keys(new ApiKeys(settings.apiKeys()))
                    .cors(cors(settings))
                    .limits(limits(settings))
                    .defaultMaxTokens(settings.integer("default-max-tokens"))
                    .request(seconds(settings, "request-timeout"))
                    .shutdown(seconds(settings, "shutdown-timeout"))
                    .maxSequences(settings.integer("max-sequences"))
                    .strictFields(settings.flag("strict-fields"))
                    .log(log)
                    .logPrompts(settings.flag("log-prompts"))
                    .tracing(Tracing.of(settings, PenjingVersion.version()))
                    .examples(examples);
            settings.optionalInteger("health-port").ifPresent(options::healthPort);
            tls(settings).ifPresent(options::tls);
        });
    }

    private static Cors cors(Settings settings) {
        return new Cors(
                settings.list("cors-allow-origins"),
                settings.list("cors-allow-methods"),
                settings.list("cors-allow-headers"),
                settings.list("cors-expose-headers"),
                settings.integer("cors-max-age"));
    }

    private static Limits limits(Settings settings) {
        return new Limits(
                settings.integer("max-body-bytes"),
                Limits.DEFAULT.headerBytes(),
                seconds(settings, "header-timeout"),
                Limits.DEFAULT.idle(),
                seconds(settings, "body-timeout"),
                seconds(settings, "write-timeout"),
                seconds(settings, "ping-interval"));
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
                        .withKernels(settings.text("kernels"))
                        .withRoom(
                                settings.whole("cache-bytes"),
                                settings.optionalInteger("max-model-len").orElse(0),
                                settings.integer("max-sequences"));
        if (settings.optionalText("quantization").isPresent()) {
            options = options.withQuantization(WeightFormat.named(settings.text("quantization")));
        }
        return draft.isPresent()
                ? options.withDraft(draft.get(), settings.integer("draft-tokens"))
                : options;
    }

    private static Optional<ServerTls> tls(Settings settings) {
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
                        "ssl-ca-certs-path holds no certificate: give those that sign clients' ones, PEM");
            }
            return Optional.of(
                    ServerTls.of(keys.privateKey().orElseThrow(), keys.certChain(), clients));
        } catch (PenjingException e) {
            throw e;
        } catch (RuntimeException | GeneralSecurityException | IOException e) {
            throw new PenjingException(
                    "the TLS key or certificates cannot be used: give PEM files in ssl-key-path and ssl-certs-path that belong together",
                    e);
        }
    }

    private static Resource resource(Settings settings, String name) {
        return Resource.create(Path.of(settings.text(name)));
    }
}
