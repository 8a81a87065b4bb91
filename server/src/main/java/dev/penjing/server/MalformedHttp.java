package dev.penjing.server;

import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.HttpJson;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import java.util.logging.Logger;

/// Answers requests that are not valid HTTP with an error in JSON: 400, or a closer status of the
/// 4xx. The server's own handlers let no exception through, so whatever fails in Helidon failed over
/// the request's bytes.
final class MalformedHttp {
    /// Kept here, as a logger that nobody holds is forgotten together with its filter.
    private static final Logger LOGGER =
            Logger.getLogger("io.helidon.webserver.http1.Http1Connection");

    /// What Helidon 4.5.0 logs, with a stack trace, of every request that it cannot read. Anybody
    /// could fill the log with these; the access log has a line for each already.
    static final String NOISE = "Internal server error";

    private MalformedHttp() {}

    static DirectHandlers handlers() {
        LOGGER.setFilter(entry -> !NOISE.equals(entry.getMessage()));
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, MalformedHttp::answer);
        }
        return handlers.build();
    }

    private static DirectHandler.TransportResponse answer(
            DirectHandler.TransportRequest request,
            DirectHandler.EventType type,
            Status status,
            io.helidon.http.ServerResponseHeaders headers,
            String message) {
        Status told = status.code() >= 500 || status.code() < 400 ? Status.BAD_REQUEST_400 : status;
        ApiException problem =
                ApiException.invalid(
                        told.code(),
                        "invalid_http",
                        "The request is no valid HTTP: " + told.reasonPhrase() + ".");
        return DirectHandler.TransportResponse.builder()
                .status(told)
                .headers(headers)
                .header(HeaderValues.create(HeaderNames.CONTENT_TYPE, "application/json"))
                .header(HeaderValues.CONNECTION_CLOSE)
                .keepAlive(false)
                .entity(HttpJson.bytes(HttpJson.error(problem)))
                .build();
    }
}
