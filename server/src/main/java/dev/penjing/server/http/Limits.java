package dev.penjing.server.http;

import java.time.Duration;

/// What a request may take.
///
/// @param bodyBytes at most
/// @param header from connecting to the end of the first request's headers
/// @param idle from an answer to the end of the next request's headers
/// @param body to send it
/// @param write to take what was written, each time
/// @param ping between two signs of life in a stream of events
public record Limits(
        int bodyBytes,
        int headerBytes,
        Duration header,
        Duration idle,
        Duration body,
        Duration write,
        Duration ping) {
    public static final Limits DEFAULT =
            new Limits(
                    4 << 20,
                    16 << 10,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(15));
}
