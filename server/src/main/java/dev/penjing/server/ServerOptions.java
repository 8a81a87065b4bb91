package dev.penjing.server;

import dev.penjing.server.http.Cors;
import dev.penjing.server.http.ApiKeys;
import dev.penjing.server.http.Limits;
import dev.penjing.server.observe.Log;
import dev.penjing.server.observe.Tracing;
import io.helidon.common.tls.Tls;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// How the server runs.
///
/// @param port 0 for any that is free
/// @param healthPort a second port for health and metrics alone, without key or TLS
/// @param request time for a whole answer
/// @param shutdown time for answers that are being made when the server is closed
/// @param maxSequences that an engine runs at once
/// @param logPrompts whether texts of requests and answers are logged
/// @param examples of what to ask, for the playground
public record ServerOptions(
        String host,
        int port,
        OptionalInt healthPort,
        ApiKeys keys,
        Cors cors,
        Optional<Tls> tls,
        Limits limits,
        int defaultMaxTokens,
        Duration request,
        Duration shutdown,
        int maxSequences,
        Log log,
        boolean logPrompts,
        Tracing tracing,
        List<String> examples) {
    public static final ServerOptions DEFAULT =
            new ServerOptions(
                    "127.0.0.1",
                    8000,
                    OptionalInt.empty(),
                    new ApiKeys(List.of()),
                    Cors.OFF,
                    Optional.empty(),
                    Limits.DEFAULT,
                    1024,
                    Duration.ofSeconds(590),
                    Duration.ofSeconds(30),
                    64,
                    new Log(Log.Level.WARNING, false, System.err),
                    false,
                    Tracing.off(),
                    List.of());
}
