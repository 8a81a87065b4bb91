package dev.penjing.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One request and its answer.
public final class Exchange {
    /// The buffer that a body gets before any of it has come.
    private static final int FIRST_BYTES = 64 << 10;

    /// Names that an answer's header gives at most.
    private static final int MOST_IGNORED = 16;

    private static final Set<String> JSON_TYPES =
            Set.of(
                    "application/json",
                    "application/json;charset=utf-8",
                    "application/json;charset=\"utf-8\"");

    private final ServerRequest request;
    private final ServerResponse response;
    private final Client client;
    private final Runnable answered;
    private final Limits limits;
    private final String id;
    private final boolean strict;
    private final Set<String> ignored = new LinkedHashSet<>();
    private int status;
    private boolean last;
    private Optional<ApiException> error = Optional.empty();

    /// @param answered runs when the answer has been sent
    /// @param id that the answer carries as `x-request-id`
    /// @param strict whether a field that nobody knows refuses a request
    public Exchange(
            ServerRequest request,
            ServerResponse response,
            Client client,
            Runnable answered,
            Limits limits,
            String id,
            boolean strict) {
        this.request = request;
        this.response = response;
        this.client = client;
        this.answered = answered;
        this.limits = limits;
        this.id = id;
        this.strict = strict;
        header("x-request-id", id);
        header("x-content-type-options", "nosniff");
    }

    public String id() {
        return id;
    }

    public String method() {
        return request.prologue().method().text();
    }

    /// Decoded.
    public String path() {
        return request.path().path();
    }

    public Optional<String> query(String name) {
        return request.query().contains(name)
                ? Optional.of(request.query().get(name))
                : Optional.empty();
    }

    public Optional<String> header(String name) {
        return request.headers().first(HeaderNames.create(name));
    }

    /// Sets a header of the answer.
    public void header(String name, String value) {
        response.header(HeaderNames.create(name), value);
    }

    public Client client() {
        return client;
    }

    /// The answer's, once there is one; 0 before.
    public int status() {
        return status;
    }

    /// What went wrong, if anything did.
    public Optional<ApiException> error() {
        return error;
    }

    /// The body. From here on it is noticed when the client leaves.
    ///
    /// @throws ApiException if it is no JSON object, or too large
    public ObjectNode json() {
        String type =
                header("content-type")
                        .map(t -> t.toLowerCase(Locale.ROOT).replace(" ", ""))
                        .orElse("");
        if (!JSON_TYPES.contains(type)) {
            throw ApiException.invalid(
                    415,
                    "unsupported_media_type",
                    "Send the body as JSON in UTF-8, with the header Content-Type: application/json.");
        }
        return HttpJson.parse(body());
    }

    /// The fields of the body. Those that nobody knows are refused, or named in the answer's header
    /// `x-penjing-ignored-fields` and in [#ignored].
    ///
    /// @throws ApiException as [#json]
    public JsonFields fields() {
        ObjectNode body = json();
        return strict ? JsonFields.of(body) : JsonFields.of(body, this::ignore);
    }

    private void ignore(String field) {
        if (ignored.size() < MOST_IGNORED && ignored.add(field)) {
            header("x-penjing-ignored-fields", String.join(", ", ignored));
        }
    }

    /// Fields of the request that nobody knew.
    public Set<String> ignored() {
        return Collections.unmodifiableSet(ignored);
    }

    private byte[] body() {
        long announced = request.headers().contentLength().orElse(0);
        if (announced > limits.bodyBytes()) {
            throw tooLarge();
        }
        client.within(limits.body());
        // what is announced is taken only as it comes: a client that sends little gets little
        ByteArrayOutputStream body =
                new ByteArrayOutputStream((int) Math.clamp(announced, 64, FIRST_BYTES));
        try {
            // closing it reads on to the body's end, which must not be done where there is none
            InputStream in = request.content().inputStream();
            byte[] part = new byte[8192];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                if (body.size() + n > limits.bodyBytes()) {
                    in.close();
                    throw tooLarge();
                }
                body.write(part, 0, n);
            }
            in.close();
        } catch (IOException e) {
            throw ApiException.invalid(400, "incomplete_body", "The body ended early.");
        } catch (ApiException | UncheckedIOException | CloseConnectionException e) {
            throw e;
        } catch (RuntimeException e) {
            // the library's many ways to say that chunks are none
            last = true;
            header("connection", "close");
            throw ApiException.invalid(400, "invalid_http", "The body's chunks are no valid HTTP.");
        } finally {
            client.unhurried();
        }
        client.watch();
        return body.toByteArray();
    }

    /// Whether nothing can follow on this connection: nobody knows where the next request begins,
    /// or the client asked for the end.
    public boolean last() {
        return last
                || header("connection").map(value -> value.equalsIgnoreCase("close")).orElse(false);
    }

    private ApiException tooLarge() {
        return ApiException.invalid(
                413,
                "request_too_large",
                "The body is larger than %,d bytes.".formatted(limits.bodyBytes()));
    }

    public void send(int code, JsonNode body) {
        send(code, "application/json", HttpJson.bytes(body));
    }

    public void send(int code, String contentType, byte[] body) {
        status = code;
        header("content-type", contentType);
        header("cache-control", "no-store");
        client.within(limits.write());
        response.status(code);
        if (method().equals("HEAD")) {
            header("content-length", Integer.toString(body.length));
            response.send();
        } else {
            response.send(body);
        }
        answered.run();
    }

    /// Writes the end of a stream, which Helidon 4.5.0 otherwise writes only after the handler has
    /// returned. The interface for that is Helidon's own, `RoutingResponse.commit`.
    public void complete() {
        if (response instanceof RoutingResponse whole) {
            whole.commit();
        }
    }

    /// Answers with an error, as JSON.
    public void fail(ApiException problem) {
        error = Optional.of(problem);
        problem.retryAfter().ifPresent(seconds -> header("retry-after", Integer.toString(seconds)));
        if (problem.status() == 401) {
            header("www-authenticate", "Bearer");
        }
        send(problem.status(), HttpJson.error(problem));
    }

    /// Begins a stream of events: from here on errors are events, too.
    public EventStream events() {
        status = 200;
        header("content-type", "text/event-stream; charset=utf-8");
        header("cache-control", "no-cache");
        header("x-accel-buffering", "no");
        response.status(200);
        OutputStream out = response.outputStream();
        return new EventStream(
                out, client, limits, answered, problem -> error = Optional.of(problem));
    }

    public boolean begun() {
        return status != 0;
    }
}
