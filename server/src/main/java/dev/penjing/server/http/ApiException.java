package dev.penjing.server.http;

import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// A request that is refused, or failed, as the client is told.
///
/// Clients try again on 408, 409, 429 and everything from 500 on: what would fail again is another
/// 4xx.
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String type;
    private final Optional<String> code;
    private final Optional<String> parameter;
    private final OptionalInt retryAfter;

    private ApiException(
            int status,
            String type,
            String message,
            Optional<String> code,
            Optional<String> parameter,
            OptionalInt retryAfter,
            @Nullable Throwable cause) {
        super(message, cause, false, false);
        this.status = status;
        this.type = type;
        this.code = code;
        this.parameter = parameter;
        this.retryAfter = retryAfter;
    }

    /// @param parameter the field that is wrong
    public static ApiException invalid(String parameter, String message) {
        return new ApiException(
                400,
                "invalid_request_error",
                message,
                Optional.empty(),
                Optional.of(parameter),
                OptionalInt.empty(),
                null);
    }

    public static ApiException invalid(int status, String code, String message) {
        return new ApiException(
                status,
                "invalid_request_error",
                message,
                Optional.of(code),
                Optional.empty(),
                OptionalInt.empty(),
                null);
    }

    public static ApiException tooLong(String message) {
        return tooLong("messages", message);
    }

    /// @param parameter the field that holds the text
    public static ApiException tooLong(String parameter, String message) {
        return new ApiException(
                400,
                "invalid_request_error",
                message,
                Optional.of("context_length_exceeded"),
                Optional.of(parameter),
                OptionalInt.empty(),
                null);
    }

    public static ApiException noModel(String message) {
        return new ApiException(
                404,
                "invalid_request_error",
                message,
                Optional.of("model_not_found"),
                Optional.of("model"),
                OptionalInt.empty(),
                null);
    }

    public static ApiException unauthorized(String message) {
        return new ApiException(
                401,
                "authentication_error",
                message,
                Optional.of("invalid_api_key"),
                Optional.empty(),
                OptionalInt.empty(),
                null);
    }

    /// @param seconds after which another try may succeed
    public static ApiException overloaded(String message, int seconds) {
        return new ApiException(
                429,
                "rate_limit_error",
                message,
                Optional.of("queue_full"),
                Optional.empty(),
                OptionalInt.of(seconds),
                null);
    }

    /// @param code `loading`, `draining` or `failed`
    public static ApiException unavailable(String code, String message, int seconds) {
        return new ApiException(
                503,
                "service_unavailable_error",
                message,
                Optional.of(code),
                Optional.empty(),
                OptionalInt.of(seconds),
                null);
    }

    /// @param cause is for the log alone: the client does not hear of it
    public static ApiException internal(String message, Throwable cause) {
        ApiException problem = internal(message);
        return new ApiException(
                problem.status,
                problem.type,
                message,
                problem.code,
                problem.parameter,
                problem.retryAfter,
                cause);
    }

    public static ApiException internal(String message) {
        return new ApiException(
                500,
                "internal_error",
                message,
                Optional.of("internal_error"),
                Optional.empty(),
                OptionalInt.empty(),
                null);
    }

    public String message() {
        return String.valueOf(getMessage());
    }

    public int status() {
        return status;
    }

    public String type() {
        return type;
    }

    public Optional<String> code() {
        return code;
    }

    public Optional<String> parameter() {
        return parameter;
    }

    public OptionalInt retryAfter() {
        return retryAfter;
    }
}
