package dev.penjing.server.observe;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/// What a request is called in answers, logs and traces.
public final class RequestIds {
    private static final Pattern HARMLESS = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    private RequestIds() {}

    /// The client's own `X-Request-Id` if it is harmless, else a new one.
    public static String of(Optional<String> header) {
        return header.filter(h -> HARMLESS.matcher(h).matches())
                .orElseGet(() -> "req-" + UUID.randomUUID().toString().replace("-", ""));
    }
}
