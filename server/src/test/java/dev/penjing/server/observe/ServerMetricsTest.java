package dev.penjing.server.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.penjing.inference.api.DraftLoad;
import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServerMetricsTest {
    private static final String LABELS = "{engine=\"0\",model_name=\"student\"}";

    private final AtomicLong nanos = new AtomicLong();
    private final AtomicReference<EngineLoad> load = new AtomicReference<>(load(0, 0, 8));
    private final ServerMetrics metrics = new ServerMetrics(256, nanos::get);
    private ModelMetrics model;

    @BeforeEach
    void aModel() {
        model = metrics.forModel("student", 64, load::get);
    }

    private static EngineLoad load(int running, int waiting, int free) {
        return new EngineLoad(running, waiting, free, 8, new DraftLoad(40, 30, 8, 8));
    }

    private static Finish finish(Finish.Reason reason, int newTokens) {
        return new Finish(reason, 12, 4, newTokens, 0.5, 1.5, 3, 0, 0);
    }

    private void pass(double seconds) {
        nanos.addAndGet(Math.round(seconds * 1e9));
    }

    private List<String> lines() {
        return metrics.scrape().lines().toList();
    }

    @Test
    void theNamesAreVllmsAndNims() {
        Set<String> types =
                lines().stream()
                        .filter(l ->
                                l.startsWith("# TYPE ")
                                        && !l.contains(" jvm_")
                                        && !l.contains(" process_"))
                        .map(l -> l.substring("# TYPE ".length()))
                        .collect(Collectors.toCollection(TreeSet::new));

        assertThat(types)
                .containsExactlyInAnyOrder(
                        "vllm:num_requests_running gauge",
                        "vllm:num_requests_waiting gauge",
                        "vllm:kv_cache_usage_perc gauge",
                        "vllm:prompt_tokens_total counter",
                        "vllm:generation_tokens_total counter",
                        "vllm:request_success_total counter",
                        "vllm:prefix_cache_queries_total counter",
                        "vllm:prefix_cache_hits_total counter",
                        "vllm:num_preemptions_total counter",
                        "vllm:spec_decode_num_draft_tokens_total counter",
                        "vllm:spec_decode_num_accepted_tokens_total counter",
                        "vllm:time_to_first_token_seconds histogram",
                        "vllm:time_per_output_token_seconds histogram",
                        "vllm:inter_token_latency_seconds histogram",
                        "vllm:request_time_per_output_token_seconds histogram",
                        "vllm:e2e_request_latency_seconds histogram",
                        "vllm:request_queue_time_seconds histogram",
                        "vllm:request_prefill_time_seconds histogram",
                        "vllm:request_decode_time_seconds histogram",
                        "vllm:request_inference_time_seconds histogram",
                        "vllm:request_prompt_tokens histogram",
                        "vllm:request_generation_tokens histogram",
                        "vllm:request_params_n histogram",
                        "vllm:request_params_max_tokens histogram",
                        "num_requests_running gauge",
                        "num_requests_waiting gauge",
                        "num_request_max gauge",
                        "gpu_cache_usage_perc gauge",
                        "prompt_tokens_total counter",
                        "generation_tokens_total counter",
                        "time_to_first_token_seconds histogram",
                        "time_per_output_token_seconds histogram",
                        "e2e_request_latency_seconds histogram",
                        "request_prompt_tokens histogram",
                        "request_generation_tokens histogram",
                        "request_finish_total counter",
                        "request_success_total counter",
                        "request_failure_total counter",
                        "penjing_requests_rejected_total counter");
    }

    @Test
    void everyModelHasItsZerosFromTheStart() {
        assertThat(lines())
                .contains(
                        "vllm:prompt_tokens_total" + LABELS + " 0.0",
                        "prompt_tokens_total" + LABELS + " 0.0",
                        "vllm:time_to_first_token_seconds_count" + LABELS + " 0",
                        "vllm:request_success_total{engine=\"0\",finished_reason=\"stop\",model_name=\"student\"} 0.0",
                        "penjing_requests_rejected_total{reason=\"queue_full\"} 0.0");
    }

    @Test
    void gaugesAreReadAtTheScrape() {
        load.set(load(3, 2, 6));
        assertThat(lines())
                .contains(
                        "vllm:num_requests_running" + LABELS + " 3.0",
                        "num_requests_running" + LABELS + " 3.0",
                        "vllm:num_requests_waiting" + LABELS + " 2.0",
                        "vllm:kv_cache_usage_perc" + LABELS + " 0.25",
                        "gpu_cache_usage_perc" + LABELS + " 0.25",
                        "num_request_max" + LABELS + " 64.0",
                        "vllm:spec_decode_num_draft_tokens_total" + LABELS + " 40.0",
                        "vllm:spec_decode_num_accepted_tokens_total" + LABELS + " 30.0");
        load.set(load(0, 0, 8));
        assertThat(lines()).contains("vllm:num_requests_running" + LABELS + " 0.0");
    }

    @Test
    void anAnswerIsCounted() {
        RequestMetrics request = model.requestStarted(1, 100);
        RequestMetrics.Answer answer = request.answerStarted();
        pass(2);
        answer.token(nanos.get());
        pass(0.06);
        answer.token(nanos.get());
        pass(0.06);
        answer.token(nanos.get());
        pass(1);
        // one more than was told
        answer.finished(finish(Finish.Reason.STOP, 4));

        assertThat(lines())
                .contains(
                        "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"student\",le=\"1.0\"} 0",
                        "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"student\",le=\"2.5\"} 1",
                        "vllm:time_to_first_token_seconds_bucket{engine=\"0\",model_name=\"student\",le=\"+Inf\"} 1",
                        "vllm:time_to_first_token_seconds_sum" + LABELS + " 2.0",
                        "time_to_first_token_seconds_count" + LABELS + " 1",
                        "vllm:inter_token_latency_seconds_count" + LABELS + " 2",
                        "vllm:inter_token_latency_seconds_bucket{engine=\"0\",model_name=\"student\",le=\"0.05\"} 0",
                        "vllm:inter_token_latency_seconds_bucket{engine=\"0\",model_name=\"student\",le=\"0.075\"} 2",
                        "vllm:time_per_output_token_seconds_count" + LABELS + " 2",
                        "time_per_output_token_seconds_count" + LABELS + " 2",
                        "vllm:request_time_per_output_token_seconds_sum" + LABELS + " 1.0",
                        "vllm:e2e_request_latency_seconds_sum" + LABELS + " 3.12",
                        "e2e_request_latency_seconds_sum" + LABELS + " 3.12",
                        "vllm:request_queue_time_seconds_sum" + LABELS + " 0.5",
                        "vllm:request_prefill_time_seconds_sum" + LABELS + " 1.5",
                        "vllm:request_decode_time_seconds_sum" + LABELS + " 3.0",
                        "vllm:request_inference_time_seconds_sum" + LABELS + " 4.5",
                        "vllm:prompt_tokens_total" + LABELS + " 12.0",
                        "vllm:generation_tokens_total" + LABELS + " 4.0",
                        "generation_tokens_total" + LABELS + " 4.0",
                        "vllm:prefix_cache_queries_total" + LABELS + " 12.0",
                        "vllm:prefix_cache_hits_total" + LABELS + " 4.0",
                        "vllm:request_prompt_tokens_bucket{engine=\"0\",model_name=\"student\",le=\"10.0\"} 0",
                        "vllm:request_prompt_tokens_bucket{engine=\"0\",model_name=\"student\",le=\"20.0\"} 1",
                        "vllm:request_prompt_tokens_bucket{engine=\"0\",model_name=\"student\",le=\"200.0\"} 1",
                        "request_generation_tokens_sum" + LABELS + " 4.0",
                        "vllm:request_params_n_sum" + LABELS + " 1.0",
                        "vllm:request_params_max_tokens_sum" + LABELS + " 100.0",
                        "vllm:request_success_total{engine=\"0\",finished_reason=\"stop\",model_name=\"student\"} 1.0",
                        "request_finish_total{engine=\"0\",finished_reason=\"stop\",model_name=\"student\"} 1.0",
                        "request_success_total" + LABELS + " 1.0",
                        "request_failure_total" + LABELS + " 0.0")
                .noneMatch(l ->
                        l.startsWith("vllm:request_prompt_tokens_bucket")
                                && l.contains("\"500.0\""));
    }

    @Test
    void howAnswersEnd() {
        RequestMetrics request = model.requestStarted(5, 10);
        for (Finish.Reason reason : Finish.Reason.values()) {
            request.answerStarted().finished(finish(reason, 0));
        }
        List<String> lines = lines();

        for (String reason : List.of("stop", "length", "abort", "dead_end", "error")) {
            assertThat(lines)
                    .contains(
                            "vllm:request_success_total{engine=\"0\",finished_reason=\"%s\",model_name=\"student\"} 1.0"
                                    .formatted(reason));
        }
        assertThat(lines)
                .contains(
                        "request_success_total" + LABELS + " 2.0",
                        "request_failure_total" + LABELS + " 2.0",
                        "vllm:time_to_first_token_seconds_count" + LABELS + " 0",
                        "vllm:request_time_per_output_token_seconds_count" + LABELS + " 0");
    }

    @Test
    void anEndCountsOnce() {
        RequestMetrics.Answer answer = model.requestStarted(1, 1).answerStarted();
        answer.finished(finish(Finish.Reason.STOP, 1));
        answer.finished(finish(Finish.Reason.FAILED, 1));

        assertThat(lines())
                .contains(
                        "vllm:prompt_tokens_total" + LABELS + " 12.0",
                        "request_failure_total" + LABELS + " 0.0");
    }

    @Test
    void modelsDoNotMix() {
        ModelMetrics other = metrics.forModel("a\"b\n", 8, () -> load(1, 0, 8));
        other.requestStarted(1, 1).answerStarted().token(nanos.get());

        assertThat(lines())
                .contains(
                        "vllm:generation_tokens_total{engine=\"0\",model_name=\"a\\\"b\\n\"} 1.0",
                        "vllm:generation_tokens_total" + LABELS + " 0.0",
                        "vllm:num_requests_running{engine=\"0\",model_name=\"a\\\"b\\n\"} 1.0");
        assertThatThrownBy(() -> metrics.forModel("student", 1, load::get))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void requestsByRouteAndRefusalsByReason() {
        metrics.rejected(Rejection.QUEUE_FULL);
        metrics.answered("/v1/models/{id}", "GET", 404, 0.002);
        metrics.answered("/v1/models/{id}", "BREW\n", 405, 0.002);

        assertThat(lines())
                .contains(
                        "penjing_requests_rejected_total{reason=\"queue_full\"} 1.0",
                        "http_requests_total{handler=\"/v1/models/{id}\",method=\"GET\",status=\"404\"} 1.0",
                        "http_requests_total{handler=\"/v1/models/{id}\",method=\"other\",status=\"405\"} 1.0",
                        "http_request_duration_seconds_bucket{handler=\"/v1/models/{id}\",le=\"0.005\"} 2");
    }

    @Test
    void theProcessIsThere() {
        assertThat(metrics.scrape())
                .contains("\nprocess_start_time_seconds ")
                .contains("\nprocess_cpu_seconds_total ")
                .contains("\nprocess_resident_memory_bytes ")
                .contains("\njvm_memory_used_bytes{area=\"heap\"} ")
                .contains("\njvm_threads_current ");
    }

    @Test
    void theFormatIsTheOneAskedFor() {
        assertThat(metrics.scrape(Optional.of("*/*")).contentType())
                .isEqualTo("text/plain; version=0.0.4; charset=utf-8");

        ServerMetrics.Exposition open =
                metrics.scrape(Optional.of("application/openmetrics-text;version=1.0.0,*/*;q=0.1"));
        String body = new String(open.body(), StandardCharsets.UTF_8);
        assertThat(open.contentType())
                .isEqualTo("application/openmetrics-text; version=1.0.0; charset=utf-8");
        assertThat(body)
                .contains("# TYPE vllm:prompt_tokens counter\n")
                .contains("vllm:prompt_tokens_total" + LABELS + " 0.0\n")
                .endsWith("# EOF\n");
    }

    @Test
    void bucketsOfTokensEndWithTheContext() {
        assertThat(Buckets.tokens(256)).containsExactly(1, 2, 5, 10, 20, 50, 100, 200);
        assertThat(Buckets.tokens(1)).containsExactly(1);
        assertThat(Buckets.tokens(Integer.MAX_VALUE)).endsWith(2e9);
    }
}
