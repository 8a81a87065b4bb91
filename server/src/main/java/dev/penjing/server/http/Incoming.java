package dev.penjing.server.http;

import io.helidon.common.buffers.DataReader;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What a client sends, which can be read ahead: that is the only way to notice, while its answer is
/// made, that it has left. What was read ahead comes first when the next request is read.
final class Incoming implements Supplier<byte @Nullable []> {
    private final DataReader before;
    private final Supplier<byte[]> socket;
    private volatile Optional<CompletableFuture<Optional<byte[]>>> ahead = Optional.empty();

    /// @param before holds what was read before there was an HTTP connection
    /// @param socket gives the next bytes, null when there will be none
    Incoming(DataReader before, Supplier<byte[]> socket) {
        this.before = before;
        this.socket = socket;
    }

    /// Reads ahead, unless that is being done.
    void readAhead() {
        if (ahead.isPresent()) {
            return;
        }
        CompletableFuture<Optional<byte[]>> next = new CompletableFuture<>();
        ahead = Optional.of(next);
        Thread.ofVirtual()
                .name("penjing-ahead")
                .start(() -> {
                    try {
                        next.complete(Optional.ofNullable(socket.get()));
                    } catch (RuntimeException | Error e) {
                        next.completeExceptionally(e);
                    }
                });
    }

    /// Whether reading ahead found the end.
    boolean ended() {
        return ahead.filter(CompletableFuture::isDone)
                .map(next -> next.isCompletedExceptionally() || next.join().isEmpty())
                .orElse(false);
    }

    @Override
    public byte @Nullable [] get() {
        if (before.available() > 0) {
            return before.readBytes(before.available());
        }
        if (ahead.isEmpty()) {
            return socket.get();
        }
        try {
            byte @Nullable [] bytes = ahead.get().join().orElse(null);
            if (bytes != null) {
                ahead = Optional.empty();
            }
            return bytes;
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
