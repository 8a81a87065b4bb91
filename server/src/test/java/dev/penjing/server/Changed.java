package dev.penjing.server;

import dev.penjing.server.http.Cors;
import dev.penjing.server.http.Limits;
import dev.penjing.server.observe.Log;
import java.time.Duration;

/// Options of a server, one of them changed.
final class Changed {
    private Changed() {}

    static ServerOptions shutdown(ServerOptions o, Duration time) {
        return of(o, o.cors(), o.limits(), time, o.log());
    }

    static ServerOptions limits(ServerOptions o, Limits limits) {
        return of(o, o.cors(), limits, o.shutdown(), o.log());
    }

    static ServerOptions cors(ServerOptions o, Cors cors) {
        return of(o, cors, o.limits(), o.shutdown(), o.log());
    }

    static ServerOptions log(ServerOptions o, Log log) {
        return of(o, o.cors(), o.limits(), o.shutdown(), log);
    }

    private static ServerOptions of(
            ServerOptions o, Cors cors, Limits limits, Duration shutdown, Log log) {
        return new ServerOptions(
                o.host(),
                o.port(),
                o.healthPort(),
                o.keys(),
                cors,
                o.tls(),
                limits,
                o.defaultMaxTokens(),
                o.request(),
                shutdown,
                o.maxSequences(),
                log,
                o.logPrompts(),
                o.tracing(),
                o.examples());
    }
}
