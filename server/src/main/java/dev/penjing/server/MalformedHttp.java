package dev.penjing.server;

import dev.penjing.server.http.ApiException;
import dev.penjing.server.http.HttpJson;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Answers to what is no HTTP: 400, or what fits better, as JSON. Our own handlers let nothing
/// through, so whatever fails in the library failed over the request's bytes.
final class MalformedHttp {
    /// It would write a stack trace for each. Kept, as loggers are forgotten otherwise.
    private static final Logger LOGGER =
            Logger.getLogger("io.helidon.webserver.http1.Http1Connection");

    private MalformedHttp() {}

    static DirectHandlers handlers() {
        LOGGER.setLevel(Level.OFF);
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
