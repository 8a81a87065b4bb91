package dev.penjing.server.observe;

import dev.penjing.inference.api.EngineLoad;
import dev.penjing.inference.api.Finish;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Supplier;

/// The metrics of one model. Thread-safe.
public final class ModelMetrics {
    private static final String ENGINE = "0";

    private final ServerMetrics all;
    private final String id;
    private final int maxSequences;
    private final Supplier<EngineLoad> load;
    private final Map<Finish.Reason, CounterDataPoint> finished =
            new EnumMap<>(Finish.Reason.class);
    final CounterDataPoint promptTokens;
    final CounterDataPoint generationTokens;
    private final CounterDataPoint succeeded;
    private final CounterDataPoint failed;
    private final CounterDataPoint prefixQueries;
    private final CounterDataPoint prefixHits;
    final DistributionDataPoint firstToken;
    final DistributionDataPoint interToken;
    private final DistributionDataPoint timePerToken;
    private final DistributionDataPoint endToEnd;
    private final DistributionDataPoint queue;
    private final DistributionDataPoint prefill;
    private final DistributionDataPoint decode;
    private final DistributionDataPoint inference;
    private final DistributionDataPoint requestPrompt;
    private final DistributionDataPoint requestGeneration;
    private final DistributionDataPoint paramsN;
    private final DistributionDataPoint paramsMaxTokens;

    ModelMetrics(ServerMetrics all, String id, int maxSequences, Supplier<EngineLoad> load) {
        this.all = all;
        this.id = id;
        this.maxSequences = maxSequences;
        this.load = load;
        for (Finish.Reason reason : Finish.Reason.values()) {
            finished.put(reason, all.finished.labelValues(id, ENGINE, label(reason)));
        }
        promptTokens = all.promptTokens.labelValues(labels());
        generationTokens = all.generationTokens.labelValues(labels());
        succeeded = all.succeeded.labelValues(labels());
        failed = all.failed.labelValues(labels());
        prefixQueries = all.prefixQueries.labelValues(labels());
        prefixHits = all.prefixHits.labelValues(labels());
        firstToken = all.firstToken.labelValues(labels());
        interToken = all.interToken.labelValues(labels());
        timePerToken = all.timePerToken.labelValues(labels());
        endToEnd = all.endToEnd.labelValues(labels());
        queue = all.queue.labelValues(labels());
        prefill = all.prefill.labelValues(labels());
        decode = all.decode.labelValues(labels());
        inference = all.inference.labelValues(labels());
        requestPrompt = all.requestPrompt.labelValues(labels());
        requestGeneration = all.requestGeneration.labelValues(labels());
        paramsN = all.paramsN.labelValues(labels());
        paramsMaxTokens = all.paramsMaxTokens.labelValues(labels());
    }

    /// vLLM's words, and two of our own.
    private static String label(Finish.Reason reason) {
        return switch (reason) {
            case STOP -> "stop";
            case LENGTH -> "length";
            case CANCELLED -> "abort";
            case DEAD_END -> "dead_end";
            case FAILED -> "error";
        };
    }

    String[] labels() {
        return new String[] {id, ENGINE};
    }

    EngineLoad load() {
        return load.get();
    }

    int maxSequences() {
        return maxSequences;
    }

    /// A request that was accepted.
    ///
    /// @param n answers that it asks for; each is begun by `answerStarted`
    /// @param maxTokens that an answer may have
    public RequestMetrics requestStarted(int n, int maxTokens) {
        paramsN.observe(n);
        paramsMaxTokens.observe(maxTokens);
        return new RequestMetrics(this, all.now());
    }

    long now() {
        return all.now();
    }

    void ended(Finish finish, double seconds) {
        CounterDataPoint point = finished.get(finish.reason());
        if (point != null) {
            point.inc();
        }
        switch (finish.reason()) {
            case STOP, LENGTH -> succeeded.inc();
            case FAILED, DEAD_END -> failed.inc();
            case CANCELLED -> {
                // neither: the client wanted no more of it
            }
        }
        promptTokens.inc(finish.promptTokens());
        prefixQueries.inc(finish.promptTokens());
        prefixHits.inc(finish.cachedTokens());
        requestPrompt.observe(finish.promptTokens());
        requestGeneration.observe(finish.newTokens());
        endToEnd.observe(seconds);
        queue.observe(finish.queueSeconds());
        prefill.observe(finish.prefillSeconds());
        decode.observe(finish.decodeSeconds());
        inference.observe(finish.prefillSeconds() + finish.decodeSeconds());
        if (finish.newTokens() > 1) {
            timePerToken.observe(finish.decodeSeconds() / (finish.newTokens() - 1));
        }
    }
}
