/// What the server tells of itself: Prometheus metrics, the log with its line a request, and
/// OpenTelemetry traces. `ServerMetrics`, `AccessLog` and `Tracing` are the three entrances, one for
/// each.
@NullMarked
package dev.penjing.server.observe;

import org.jspecify.annotations.NullMarked;
