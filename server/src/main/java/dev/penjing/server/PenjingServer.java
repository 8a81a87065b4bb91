package dev.penjing.server;

import dev.penjing.model.PenjingException;
import dev.penjing.model.PenjingVersion;
import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.Client;
import dev.penjing.server.http.Connections;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.Router;
import dev.penjing.server.http.ServerTls;
import dev.penjing.server.models.AnswerService;
import dev.penjing.server.models.ServedModels;
import dev.penjing.server.nim.Health;
import dev.penjing.server.nim.Management;
import dev.penjing.server.observe.RequestIds;
import dev.penjing.server.openai.ChatEndpoint;
import dev.penjing.server.openai.CompletionsEndpoint;
import dev.penjing.server.openai.ModelsEndpoint;
import dev.penjing.server.openai.ResponsesEndpoint;
import dev.penjing.server.openai.Service;
import dev.penjing.server.settings.Exposure;
import dev.penjing.server.web.Pages;
import io.helidon.common.tls.Tls;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/// The microservice: OpenAI's and NIM's endpoints over engines in this process, and the playground.
///
/// It listens as soon as it was started, and answers when its models are loaded.
public final class PenjingServer implements AutoCloseable {
    /// Paths that need no key: what tells whether the server is there, and the page that asks for
    /// the key.
    private static final Set<String> OPEN =
            Set.of(
                    "/v1/health/live",
                    "/v1/health/ready",
                    "/",
                    "/docs",
                    "/openapi.json",
                    "/playground/info",
                    "/playground/report");

    private final ServerOptions options;
    private final ServedModels models;
    private final Connections connections;
    private final WebServer server;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Telemetry watch;
    private final Router router;
    private final Router probes;

    private PenjingServer(ServerOptions options, ServedModels models) {
        this.options = options;
        this.models = models;
        Exposure.check(
                options.host(),
                options.keys().required(),
                options.tls().map(ServerTls::clientCertificates).orElse(false));
        watch =
                new Telemetry(
                        options.log(),
                        options.logPrompts(),
                        options.tracing(),
                        models.all(),
                        options.maxSequences());
        router = router();
        probes = probes();
        connections = new Connections(options.limits());
        WebServerConfig.Builder builder =
                WebServer.builder()
                        .host(options.host())
                        .port(options.port())
                        .backlog(1024)
                        // a token must not wait until the client has acknowledged the one before
                        .connectionOptions(socket -> socket.tcpNoDelay(true))
                        .shutdownHook(false)
                        .protocolsDiscoverServices(false)
                        .addConnectionSelector(connections)
                        // a TLS socket over NIO cannot be read and written at the same time
                        .useNio(options.tls().isEmpty())
                        .maxPayloadSize(-1)
                        .directHandlers(MalformedHttp.handlers())
                        .routing(HttpRouting.builder().any(this::handle));
        options.tls()
                .ifPresent(tls -> builder.tls(Tls.builder().sslContext(tls.context()).build()));
        options.healthPort()
                .ifPresent(port ->
                        builder.putSocket(
                                "health",
                                socket ->
                                        socket.host(options.host())
                                                .port(port)
                                                .connectionOptions(o -> o.tcpNoDelay(true))
                                                .protocolsDiscoverServices(false)
                                                .addConnectionSelector(connections)
                                                .routing(HttpRouting.builder().any(this::probe))));
        server = builder.build();
    }

    /// @throws PenjingException if it cannot listen there
    public static PenjingServer start(ServerOptions options, ServedModels models) {
        PenjingServer server = new PenjingServer(options, models);
        try {
            checkFree(options);
            server.server.start();
        } catch (PenjingException e) {
            server.connections.close();
            throw e;
        } catch (RuntimeException e) {
            server.connections.close();
            throw taken(options, options.port(), "port", e);
        }
        return server;
    }

    /// Helidon 4.5.0 listens with `SO_REUSEPORT`: another program could listen on the same port,
    /// and clients would reach either.
    private static void checkFree(ServerOptions options) {
        // both at once, since they may not be the same either
        try (ServerSocket main = new ServerSocket();
                ServerSocket health = new ServerSocket()) {
            take(main, options, options.port(), "port");
            if (options.healthPort().isPresent()) {
                take(health, options, options.healthPort().getAsInt(), "health-port");
            }
        } catch (IOException e) {
            throw new PenjingException("cannot listen on " + options.host(), e);
        }
    }

    private static void take(ServerSocket probe, ServerOptions options, int port, String name) {
        try {
            probe.bind(new InetSocketAddress(options.host(), port));
        } catch (IOException e) {
            throw taken(options, port, name, e);
        }
    }

    private static PenjingException taken(
            ServerOptions options, int port, String name, Exception cause) {
        return new PenjingException(
                "cannot listen on %s:%d: is another program there? set another %s"
                        .formatted(options.host(), port, name),
                cause);
    }

    private Router probes() {
        Health health = new Health(models);
        return new Router()
                .get("/v1/health/live", health::live)
                .get("/v1/health/ready", health::ready)
                .get("/v1/metrics", watch::scrape)
                .alias("/health", "/v1/health/ready");
    }

    private Router router() {
        Health health = new Health(models);
        Management management = new Management(models, PenjingVersion.version());
        ModelsEndpoint list = new ModelsEndpoint(models);
        Service service = new Service(models, options.defaultMaxTokens(), options.request(), watch);
        ChatEndpoint chat = new ChatEndpoint(service);
        CompletionsEndpoint completions = new CompletionsEndpoint(service);
        ResponsesEndpoint responses = new ResponsesEndpoint(service);
        Pages pages =
                new Pages(
                        models,
                        PenjingVersion.version(),
                        options.keys(),
                        options.defaultMaxTokens(),
                        options.examples());
        return new Router()
                .get("/v1/health/live", health::live)
                .get("/v1/health/ready", health::ready)
                .alias("/health", "/v1/health/ready")
                .get("/v1/metrics", watch::scrape)
                .get("/v1/version", management::version)
                .get("/v1/license", management::license)
                .get("/v1/metadata", management::metadata)
                .get("/v1/manifest", management::manifest)
                .get("/v1/models", list::list)
                .getUnder("/v1/models/", list::one)
                .post("/v1/chat/completions", chat::handle)
                .post("/v1/completions", completions::handle)
                .post("/v1/responses", responses::handle)
                .getUnder("/v1/responses/", responses::get)
                .deleteUnder("/v1/responses/", responses::delete)
                .post("/tokenize", list::tokenize)
                .post("/detokenize", list::detokenize)
                .get("/", e -> pages.file(e, "playground", "index.html"))
                .get("/playground/info", pages::info)
                .get("/playground/report", pages::report)
                .getUnder("/playground/", (e, name) -> pages.file(e, "playground", name))
                .get("/docs", e -> pages.file(e, "docs", "index.html"))
                .getUnder("/docs/", (e, name) -> pages.file(e, "docs", name))
                .get("/openapi.json", e -> pages.file(e, "", "openapi.json"));
    }

    private void handle(ServerRequest request, ServerResponse response) {
        Exchange exchange = exchange(request, response);
        String route = router.pattern(exchange.path());
        watch.around(exchange, route, () -> answered(exchange, () -> answer(exchange)));
        closeIfLast(exchange);
    }

    /// On the port for health and metrics, which asks for no key.
    private void probe(ServerRequest request, ServerResponse response) {
        Exchange exchange = exchange(request, response);
        answered(exchange, () -> probes.route(exchange));
        closeIfLast(exchange);
    }

    /// Helidon 4.5.0 says `Connection: close` in its answer, but leaves the closing to the client.
    private static void closeIfLast(Exchange exchange) {
        if (exchange.last()) {
            exchange.complete();
            throw new CloseConnectionException("the last answer of a connection");
        }
    }

    private Exchange exchange(ServerRequest request, ServerResponse response) {
        Optional<String> id = request.headers().first(HeaderNames.create("x-request-id"));
        Client client = Connections.current();
        return new Exchange(
                request,
                response,
                client,
                () -> connections.answered(client),
                options.limits(),
                RequestIds.of(id),
                options.strictFields());
    }

    private void answered(Exchange exchange, Runnable answering) {
        try {
            answering.run();
        } catch (ApiException e) {
            fail(exchange, e);
        } catch (AnswerService.ClientGone | UncheckedIOException | CloseConnectionException e) {
            exchange.client().close();
            // Helidon ends the connection without a word
            throw new CloseConnectionException("the client left", e);
        } catch (RuntimeException | Error e) {
            watch.log().error("request " + exchange.id() + " failed", e);
            fail(exchange, ApiException.internal("The server failed: see its log."));
        }
    }

    private void answer(Exchange exchange) {
        exchange.client().unhurried();
        if (options.cors().apply(exchange)) {
            return;
        }
        String path = router.canonical(exchange.path());
        boolean asset =
                path.startsWith("/docs/")
                        || path.startsWith("/playground/") && path.lastIndexOf('.') > 0;
        if (!OPEN.contains(path) && !asset) {
            options.keys().check(exchange.header("authorization"));
        }
        router.route(exchange);
    }

    private static void fail(Exchange exchange, ApiException problem) {
        if (exchange.begun()) {
            exchange.client().close();
            return;
        }
        try {
            exchange.fail(problem);
        } catch (RuntimeException e) {
            exchange.client().close();
        }
    }

    /// The port that it listens on.
    public int port() {
        return server.port();
    }

    /// Connections that are open.
    int connections() {
        return connections.count();
    }

    public String address() {
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        String scheme = options.tls().isPresent() ? "https" : "http";
        return "%s://%s:%d".formatted(scheme, host, port());
    }

    /// Takes nothing new, lets what runs end within the shutdown time, and then ends all. Harmless
    /// the second time.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        models.admission().drain();
        try {
            models.admission().awaitEmpty(options.shutdown().toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        models.close();
        server.stop();
        connections.close();
        options.tracing().close();
    }
}
