package dev.penjing.server;

import dev.penjing.server.http.ApiKeys;
import dev.penjing.server.http.Cors;
import dev.penjing.server.http.Limits;
import dev.penjing.server.http.ServerTls;
import dev.penjing.server.observe.Log;
import dev.penjing.server.observe.Tracing;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/// How the server runs. `DEFAULT` is the usual; `with` changes some of it:
///
/// ```java
/// ServerOptions options = ServerOptions.DEFAULT.with(o -> o.port(8080).keys(keys));
/// ```
///
/// @param host the address to listen on
/// @param port 0 for any that is free
/// @param healthPort a second port for health and metrics alone, without key or TLS
/// @param keys of which a client must send one
/// @param cors which pages of other origins may call
/// @param tls empty for plain HTTP
/// @param limits what a request may take
/// @param defaultMaxTokens the longest answer where the request sets no limit, in tokens
/// @param request time for a whole answer
/// @param shutdown time for answers that are being made when the server is closed
/// @param maxSequences that an engine runs at once
/// @param log where the server's own lines go
/// @param logPrompts whether texts of requests and answers are logged
/// @param strictFields whether a field that nobody knows refuses a request
/// @param tracing where spans go
/// @param examples of what to ask, for the playground
public record ServerOptions(
        String host,
        int port,
        OptionalInt healthPort,
        ApiKeys keys,
        Cors cors,
        Optional<ServerTls> tls,
        Limits limits,
        int defaultMaxTokens,
        Duration request,
        Duration shutdown,
        int maxSequences,
        Log log,
        boolean logPrompts,
        boolean strictFields,
        Tracing tracing,
        List<String> examples) {
    public static final ServerOptions DEFAULT = new Builder().build();

    /// These options with some of them changed.
    public ServerOptions with(Consumer<Builder> change) {
        Builder builder = new Builder();
        builder.host = host;
        builder.port = port;
        builder.healthPort = healthPort;
        builder.keys = keys;
        builder.cors = cors;
        builder.tls = tls;
        builder.limits = limits;
        builder.defaultMaxTokens = defaultMaxTokens;
        builder.request = request;
        builder.shutdown = shutdown;
        builder.maxSequences = maxSequences;
        builder.log = log;
        builder.logPrompts = logPrompts;
        builder.strictFields = strictFields;
        builder.tracing = tracing;
        builder.examples = examples;
        change.accept(builder);
        return builder.build();
    }

    /// Options in the making, each named as in `ServerOptions`.
    public static final class Builder {
        private String host = "127.0.0.1";
        private int port = 8000;
        private OptionalInt healthPort = OptionalInt.empty();
        private ApiKeys keys = new ApiKeys(List.of());
        private Cors cors = Cors.OFF;
        private Optional<ServerTls> tls = Optional.empty();
        private Limits limits = Limits.DEFAULT;
        private int defaultMaxTokens = 1024;
        private Duration request = Duration.ofSeconds(590);
        private Duration shutdown = Duration.ofSeconds(30);
        private int maxSequences = 64;
        private Log log = new Log(Log.Level.WARNING, false, System.err);
        private boolean logPrompts;
        private boolean strictFields;
        private Tracing tracing = Tracing.off();
        private List<String> examples = List.of();

        private Builder() {}

        public Builder host(String address) {
            host = address;
            return this;
        }

        public Builder port(int number) {
            port = number;
            return this;
        }

        public Builder healthPort(int number) {
            healthPort = OptionalInt.of(number);
            return this;
        }

        public Builder keys(ApiKeys all) {
            keys = all;
            return this;
        }

        public Builder cors(Cors allowed) {
            cors = allowed;
            return this;
        }

        public Builder tls(ServerTls how) {
            tls = Optional.of(how);
            return this;
        }

        public Builder limits(Limits all) {
            limits = all;
            return this;
        }

        public Builder defaultMaxTokens(int tokens) {
            defaultMaxTokens = tokens;
            return this;
        }

        public Builder request(Duration time) {
            request = time;
            return this;
        }

        public Builder shutdown(Duration time) {
            shutdown = time;
            return this;
        }

        public Builder maxSequences(int count) {
            maxSequences = count;
            return this;
        }

        public Builder log(Log to) {
            log = to;
            return this;
        }

        public Builder logPrompts(boolean whether) {
            logPrompts = whether;
            return this;
        }

        public Builder strictFields(boolean whether) {
            strictFields = whether;
            return this;
        }

        public Builder tracing(Tracing to) {
            tracing = to;
            return this;
        }

        public Builder examples(List<String> questions) {
            examples = List.copyOf(questions);
            return this;
        }

        private ServerOptions build() {
            return new ServerOptions(
                    host,
                    port,
                    healthPort,
                    keys,
                    cors,
                    tls,
                    limits,
                    defaultMaxTokens,
                    request,
                    shutdown,
                    maxSequences,
                    log,
                    logPrompts,
                    strictFields,
                    tracing,
                    examples);
        }
    }
}
