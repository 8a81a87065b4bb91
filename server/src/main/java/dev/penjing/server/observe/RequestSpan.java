package dev.penjing.server.observe;

import dev.penjing.inference.api.Finish;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import java.util.List;
import java.util.Optional;

/// The span of a request. Attributes are those of OpenTelemetry's conventions for generative AI,
/// and vLLM's for latencies; never what was asked or answered.
public final class RequestSpan {
    private static final AttributeKey<List<String>> REASONS =
            AttributeKey.stringArrayKey("gen_ai.response.finish_reasons");

    private final Span span;

    RequestSpan(Span span) {
        this.span = span;
    }

    /// The trace that it belongs to, for logs.
    public Optional<String> traceId() {
        return Optional.of(span.getSpanContext()).filter(c -> c.isValid()).map(c -> c.getTraceId());
    }

    /// What is asked for.
    ///
    /// @param operation `chat`, `text_completion` or `generate_content`
    /// @param model that is served, not just any name that a client sent
    public void asked(
            String operation, String model, int n, int maxTokens, double temperature, double topP) {
        span.updateName(operation + " " + model);
        span.setAttribute("gen_ai.operation.name", operation);
        span.setAttribute("gen_ai.provider.name", "penjing");
        span.setAttribute("gen_ai.request.model", model);
        if (n != 1) {
            span.setAttribute("gen_ai.request.choice.count", n);
        }
        span.setAttribute("gen_ai.request.max_tokens", maxTokens);
        span.setAttribute("gen_ai.request.temperature", temperature);
        span.setAttribute("gen_ai.request.top_p", topP);
    }

    /// What came of it.
    ///
    /// @param responseId as in the answer
    /// @param reasons why each answer ended, in the words of the answer
    /// @param answers one for each
    public void answered(
            String responseId, String model, List<String> reasons, List<Finish> answers) {
        span.setAttribute("gen_ai.response.id", responseId);
        span.setAttribute("gen_ai.response.model", model);
        span.setAttribute(REASONS, reasons);
        if (answers.isEmpty()) {
            return;
        }
        Finish first = answers.getFirst();
        span.setAttribute("gen_ai.usage.input_tokens", first.promptTokens());
        span.setAttribute("gen_ai.usage.cache_read.input_tokens", first.cachedTokens());
        span.setAttribute(
                "gen_ai.usage.output_tokens", answers.stream().mapToInt(Finish::newTokens).sum());
        span.setAttribute("gen_ai.latency.time_in_queue", first.queueSeconds());
        span.setAttribute(
                "gen_ai.latency.time_to_first_token",
                first.queueSeconds() + first.prefillSeconds());
        span.setAttribute("gen_ai.latency.time_in_model_prefill", first.prefillSeconds());
        span.setAttribute("gen_ai.latency.time_in_model_decode", first.decodeSeconds());
    }

    /// It failed.
    ///
    /// @param type the error's `code` or `type`, as in the answer
    public void failed(String type) {
        span.setAttribute("error.type", type);
        span.setStatus(StatusCode.ERROR);
    }

    /// The answer's last byte went out. To be called once, in any case.
    public void end(String requestId, int status) {
        span.setAttribute("http.response.status_code", status);
        span.setAttribute("penjing.request_id", requestId);
        span.end();
    }
}
