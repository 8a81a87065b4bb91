package dev.penjing.server.observe;

import dev.penjing.server.settings.Settings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A line a request. What was asked and answered is left out unless it was asked for.
public final class AccessLog {
    private final Log log;
    private final boolean prompts;

    /// @param prompts whether texts of requests and answers are written
    public AccessLog(Log log, boolean prompts) {
        this.log = log;
        this.prompts = prompts;
    }

    public static AccessLog of(Log log, Settings settings) {
        return new AccessLog(log, settings.flag("log-prompts"));
    }

    /// A request that is over.
    ///
    /// @param client its address
    /// @param path without the query
    /// @param status 499 if the client went away
    /// @param seconds from its headers to the answer's last byte
    /// @param error its `code`, or `type`, if it failed
    /// @param ignored fields of the request that nobody knew
    /// @param quiet whether it is a probe or a scrape, which only `debug` shows
    public record Entry(
            String requestId,
            Optional<String> traceId,
            String client,
            String method,
            String path,
            int status,
            double seconds,
            Optional<String> error,
            Optional<Answer> answer,
            Set<String> ignored,
            boolean quiet) {}

    /// What a model did for it.
    ///
    /// @param promptTokens all of them, with those of the cache
    /// @param queueSeconds waiting
    /// @param firstTokenSeconds from the request to the first token; empty if none came
    public record Answer(
            String model,
            int promptTokens,
            int cachedTokens,
            int completionTokens,
            double queueSeconds,
            Optional<Double> firstTokenSeconds,
            String finishReason,
            Optional<Texts> texts) {}

    public record Texts(String prompt, String completion) {}

    public void log(Entry entry) {
        Log.Level level =
                entry.quiet() && entry.status() < 500
                        ? Log.Level.DEBUG
                        : entry.status() >= 500 ? Log.Level.ERROR : Log.Level.INFO;
        if (!log.on(level)) {
            return;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("request_id", LogEscaping.cut(entry.requestId()));
        entry.traceId().ifPresent(id -> fields.put("trace_id", id));
        fields.put("client", LogEscaping.cut(entry.client()));
        fields.put("method", LogEscaping.cut(entry.method()));
        fields.put("path", LogEscaping.cut(entry.path()));
        fields.put("status", entry.status());
        fields.put("seconds", entry.seconds());
        entry.error().ifPresent(e -> fields.put("error", LogEscaping.cut(e)));
        entry.answer().ifPresent(a -> answer(a, fields));
        if (!entry.ignored().isEmpty()) {
            fields.put("ignored", LogEscaping.cut(String.join(" ", entry.ignored())));
        }
        log.line(level, "request", fields);
    }

    private void answer(Answer answer, Map<String, Object> fields) {
        fields.put("model", LogEscaping.cut(answer.model()));
        fields.put("prompt_tokens", answer.promptTokens());
        fields.put("cached_tokens", answer.cachedTokens());
        fields.put("completion_tokens", answer.completionTokens());
        fields.put("queue_seconds", answer.queueSeconds());
        answer.firstTokenSeconds().ifPresent(s -> fields.put("first_token_seconds", s));
        fields.put("finish_reason", answer.finishReason());
        if (prompts) {
            answer.texts()
                    .ifPresent(t -> {
                        fields.put("prompt", t.prompt());
                        fields.put("completion", t.completion());
                    });
        }
    }
}
