package dev.penjing.server.http;

import java.util.List;
import java.util.Optional;

/// Which pages of other origins may call the server: none unless named.
///
/// @param origins such as `https://example.org`, or `*`
/// @param maxAge seconds for which a browser may remember the answer
public record Cors(
        List<String> origins,
        List<String> methods,
        List<String> headers,
        List<String> exposed,
        int maxAge) {
    public static final Cors OFF = new Cors(List.of(), List.of(), List.of(), List.of(), 0);

    /// Sets the answer's headers where its page is allowed.
    ///
    /// @return whether this was a browser's question beforehand, which is answered now
    public boolean apply(Exchange exchange) {
        if (origins.isEmpty()) {
            return false;
        }
        exchange.header("vary", "Origin");
        Optional<String> origin = exchange.header("origin");
        if (origin.isEmpty() || !(origins.contains("*") || origins.contains(origin.get()))) {
            return false;
        }
        exchange.header("access-control-allow-origin", origins.contains("*") ? "*" : origin.get());
        if (!exposed.isEmpty()) {
            exchange.header("access-control-expose-headers", String.join(", ", exposed));
        }
        boolean asks =
                exchange.method().equals("OPTIONS")
                        && exchange.header("access-control-request-method").isPresent();
        if (asks) {
            exchange.header("access-control-allow-methods", String.join(", ", methods));
            exchange.header("access-control-allow-headers", allowed(exchange));
            exchange.header("access-control-max-age", Integer.toString(maxAge));
            exchange.send(204, "text/plain", new byte[0]);
        }
        return asks;
    }

    /// The headers that pages may send. Clients of OpenAI add a dozen of their own, which no list
    /// can foresee: with `*` among the headers, whatever the browser asks for.
    private String allowed(Exchange exchange) {
        Optional<String> asked = exchange.header("access-control-request-headers");
        return headers.contains("*") && asked.isPresent()
                ? asked.get().replaceAll("[^A-Za-z0-9,_ -]", "")
                : String.join(", ", headers);
    }
}
