package dev.penjing.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Reads an answer of the chat endpoint as it comes, and looks for no more than a load test has to
/// know. Nothing is decoded: `"content":` stands in a chunk that brings text, and in the first one,
/// which brings the role; in a text itself it would be written with backslashes.
final class EventReader {
    /// Finds a pattern that has no beginning that is also its end, but for its first byte.
    private static final class Finder {
        private final byte[] pattern;
        private int at;

        Finder(String pattern) {
            this.pattern = pattern.getBytes(StandardCharsets.US_ASCII);
        }

        boolean found(byte b) {
            at = b == pattern[at] ? at + 1 : b == pattern[0] ? 1 : 0;
            if (at == pattern.length) {
                at = 0;
                return true;
            }
            return false;
        }
    }

    private final Finder head = new Finder("\r\n\r\n");
    private final Finder closing = new Finder("\r\nconnection: close\r");
    private final Finder content = new Finder("\"content\":");
    private final Finder count = new Finder("\"completion_tokens\":");
    private final Finder done = new Finder("\ndata: [DONE]");
    private final Finder end = new Finder("0\r\n\r\n");
    private final StringBuilder line = new StringBuilder();
    private boolean touched;
    private boolean isClosing;
    private boolean inLine;
    private boolean inBody;
    private boolean inCount;
    private boolean isDone;
    private boolean ended;
    private int texts;
    private int tokens;

    EventReader() {
        reset();
    }

    /// For the next answer.
    void reset() {
        line.setLength(0);
        touched = false;
        isClosing = false;
        inLine = true;
        inBody = false;
        inCount = false;
        isDone = false;
        ended = false;
        texts = -1;
        tokens = 0;
    }

    /// @return chunks with text that came with these bytes
    int read(ByteBuffer bytes) {
        int before = Math.max(0, texts);
        while (bytes.hasRemaining() && !ended) {
            take(bytes.get());
        }
        return Math.max(0, texts) - before;
    }

    private void take(byte b) {
        touched = true;
        if (!inBody) {
            isClosing |= closing.found((byte) Character.toLowerCase(b));
            inLine &= b != '\r';
            if (inLine) {
                line.append((char) b);
            }
            inBody = head.found(b);
            return;
        }
        if (isDone) {
            ended = end.found(b);
            return;
        }
        if (content.found(b)) {
            texts++;
        }
        if (inCount && b >= '0' && b <= '9') {
            tokens = tokens * 10 + (b - '0');
        } else {
            inCount = count.found(b);
        }
        isDone = done.found(b);
    }

    /// Whether all of the answer's headers are there.
    boolean begun() {
        return inBody;
    }

    boolean good() {
        return line.indexOf("HTTP/1.1 200") == 0;
    }

    /// What the server said of how it went.
    String status() {
        return line.length() > 12 ? line.substring(9, 12) : "no HTTP";
    }

    /// Whether nothing of the answer has come.
    boolean untouched() {
        return !touched;
    }

    /// Whether the server said that it will close the connection.
    boolean closing() {
        return isClosing;
    }

    /// Whether all events are there, even if HTTP may say more.
    boolean complete() {
        return isDone;
    }

    /// Whether the stream came to its end.
    boolean ended() {
        return ended;
    }

    /// Chunks with text so far.
    int texts() {
        return Math.max(0, texts);
    }

    /// What the server counted.
    int tokens() {
        return tokens;
    }
}
