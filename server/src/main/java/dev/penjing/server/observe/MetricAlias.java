package dev.penjing.server.observe;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.registry.MetricType;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The same numbers by another name.
record MetricAlias(Collector original, String name) implements Collector {
    @Override
    public MetricSnapshot collect() {
        MetricSnapshot snapshot = original.collect();
        MetricMetadata metadata = new MetricMetadata(name, snapshot.getMetadata().getHelp());
        return switch (snapshot) {
            case CounterSnapshot c -> new CounterSnapshot(metadata, c.getDataPoints());
            case GaugeSnapshot g -> new GaugeSnapshot(metadata, g.getDataPoints());
            case HistogramSnapshot h -> new HistogramSnapshot(metadata, h.getDataPoints());
            default -> throw new IllegalStateException(name + " stands for another kind");
        };
    }

    @Override
    public String getPrometheusName() {
        return name;
    }

    @Override
    public @Nullable MetricType getMetricType() {
        return original.getMetricType();
    }

    @Override
    public @Nullable Set<String> getLabelNames() {
        return original.getLabelNames();
    }
}
