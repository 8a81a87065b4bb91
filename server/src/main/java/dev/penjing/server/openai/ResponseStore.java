package dev.penjing.server.openai;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Responses that can be asked for again and continued, in memory: so many, and so many bytes; the
/// oldest make room. They are gone when the server ends. Who knows an id may use it: ids cannot be
/// guessed. Thread-safe.
final class ResponseStore {
    /// @param body the response, as JSON
    /// @param conversation that it ended, its own messages included, instructions left out, as JSON
    record Stored(byte[] body, byte[] conversation) {
        long bytes() {
            return (long) body.length + conversation.length;
        }
    }

    private final int most;
    private final long mostBytes;
    private final Map<String, Stored> all = new LinkedHashMap<>();
    private long bytes;

    ResponseStore(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
    }

    /// Keeps it, unless it alone is larger than all may be.
    ///
    /// @param id not used before
    synchronized void put(String id, Stored stored) {
        if (stored.bytes() > mostBytes) {
            return;
        }
        all.put(id, stored);
        bytes += stored.bytes();
        Iterator<Stored> oldest = all.values().iterator();
        while (all.size() > most || bytes > mostBytes) {
            bytes -= oldest.next().bytes();
            oldest.remove();
        }
    }

    synchronized Optional<Stored> get(String id) {
        return Optional.ofNullable(all.get(id));
    }

    /// @return whether it was there
    synchronized boolean remove(String id) {
        Stored stored = all.remove(id);
        if (stored == null) {
            return false;
        }
        bytes -= stored.bytes();
        return true;
    }
}
