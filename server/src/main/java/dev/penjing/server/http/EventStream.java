package dev.penjing.server.http;

import io.helidon.webserver.ServerConnectionException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/// Server-sent events (WHATWG HTML, section 9.2), one JSON object a `data` line. They are gathered
/// until `flush`: what is written at once has to be taken by the client within the write limit.
///
/// Writing throws an UncheckedIOException or Helidon's CloseConnectionException once the client has
/// left.
public final class EventStream implements AutoCloseable {
    private static final byte[] NAMELESS = {};
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.UTF_8);

    /// Bytes that are gathered before they go out by themselves.
    private static final int MOST = 16 << 10;

    private final OutputStream out;
    private final Client client;
    private final Limits limits;
    private final Runnable ended;
    private final Consumer<ApiException> failed;
    private final ByteArrayOutputStream gathered = new ByteArrayOutputStream(1024);
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
        event(NAMELESS, HttpJson.bytes(data));
    }

    /// As above, of an object with this text.
    public void send(JsonTemplate data, String text) {
        gathered.writeBytes(DATA);
        data.write(text, gathered);
        end();
    }

    /// @param name of the event
    public void send(String name, JsonNode data) {
        event(("event: " + name + "\n").getBytes(StandardCharsets.UTF_8), HttpJson.bytes(data));
    }

    /// The end of OpenAI's streams.
    public void done() {
        event(NAMELESS, "[DONE]".getBytes(StandardCharsets.UTF_8));
    }

    /// An error after the stream began.
    public void fail(ApiException problem) {
        failed.accept(problem);
        send(HttpJson.error(problem));
    }

    /// An error after the stream began, in the form of the endpoint's own events.
    public void fail(ApiException problem, String name, JsonNode data) {
        failed.accept(problem);
        send(name, data);
    }

    /// A comment, which clients skip, if nothing was written for a while.
    public void pingIfQuiet() {
        if (System.nanoTime() - lastWrite > limits.ping().toNanos()) {
            gathered.writeBytes(": ping\n\n".getBytes(StandardCharsets.UTF_8));
            flush();
        }
    }

    private void event(byte[] head, byte[] data) {
        gathered.writeBytes(head);
        gathered.writeBytes(DATA);
        gathered.writeBytes(data);
        end();
    }

    private void end() {
        gathered.write('\n');
        gathered.write('\n');
        if (gathered.size() > MOST) {
            flush();
        }
    }

    /// Sends what was gathered.
    public void flush() {
        if (gathered.size() == 0) {
            return;
        }
        client.within(limits.write());
        try {
            gathered.writeTo(out);
            gathered.reset();
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
        try {
            flush();
            client.within(limits.write());
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
