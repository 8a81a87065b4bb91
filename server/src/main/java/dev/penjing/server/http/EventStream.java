package dev.penjing.server.http;

import io.helidon.webserver.ServerConnectionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/// Server-sent events (WHATWG HTML, section 9.2), one JSON object a `data` line. Every write is
/// flushed, and has to be taken by the client within the write limit.
///
/// Writing throws an UncheckedIOException or Helidon's CloseConnectionException once the client has
/// left.
public final class EventStream implements AutoCloseable {
    private final OutputStream out;
    private final Client client;
    private final Limits limits;
    private final Runnable ended;
    private final Consumer<ApiException> failed;
    private long lastWrite = System.nanoTime();

    EventStream(
            OutputStream out,
            Client client,
            Limits limits,
            Runnable ended,
            Consumer<ApiException> failed) {
        this.out = out;
        this.client = client;
        this.limits = limits;
        this.ended = ended;
        this.failed = failed;
    }

    public void send(JsonNode data) {
        event("", Json.bytes(data));
    }

    /// @param name of the event
    public void send(String name, JsonNode data) {
        event("event: " + name + "\n", Json.bytes(data));
    }

    /// The end of OpenAI's streams.
    public void done() {
        event("", "[DONE]".getBytes(StandardCharsets.UTF_8));
    }

    /// An error after the stream began.
    public void fail(ApiException problem) {
        failed.accept(problem);
        send(Exchange.errorBody(problem));
    }

    /// An error after the stream began, in the form of the endpoint's own events.
    public void fail(ApiException problem, String name, JsonNode data) {
        failed.accept(problem);
        send(name, data);
    }

    /// A comment, which clients skip, if nothing was written for a while.
    public void pingIfQuiet() {
        if (System.nanoTime() - lastWrite > limits.ping().toNanos()) {
            write(": ping\n\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    private void event(String head, byte[] data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(data.length + 32);
        bytes.writeBytes(head.getBytes(StandardCharsets.UTF_8));
        bytes.writeBytes("data: ".getBytes(StandardCharsets.UTF_8));
        bytes.writeBytes(data);
        bytes.writeBytes("\n\n".getBytes(StandardCharsets.UTF_8));
        write(bytes.toByteArray());
    }

    private void write(byte[] bytes) {
        client.within(limits.write());
        try {
            out.write(bytes);
            out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ServerConnectionException e) {
            throw new UncheckedIOException(new IOException(e));
        } finally {
            client.unhurried();
        }
        lastWrite = System.nanoTime();
    }

    @Override
    public void close() {
        client.within(limits.write());
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ServerConnectionException e) {
            throw new UncheckedIOException(new IOException(e));
        } finally {
            ended.run();
        }
    }
}
