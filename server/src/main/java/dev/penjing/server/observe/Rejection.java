package dev.penjing.server.observe;

import java.util.Locale;

/// Why a request was refused before it reached a model.
public enum Rejection {
    INVALID_REQUEST,
    UNAUTHENTICATED,
    MODEL_NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    QUEUE_FULL,
    LOADING,
    DRAINING,
    TIMEOUT;

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
