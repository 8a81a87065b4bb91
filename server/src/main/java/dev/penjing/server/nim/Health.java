package dev.penjing.server.nim;

import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.util.List;

/// `GET /v1/health/live` and `/v1/health/ready`, as NIM for LLMs answers them.
public final class Health {
    private final ServedModels models;

    public Health(ServedModels models) {
        this.models = models;
    }

    /// As soon as the server listens; no longer when an engine has died, as only a new start mends
    /// that.
    public void live(Exchange exchange) {
        boolean leaving = models.admission().draining();
        if (!leaving && models.all().stream().anyMatch(ServedModel::dead)) {
            answer(exchange, 503, reason(), "dead");
            return;
        }
        answer(exchange, 200, "Service is live.", "live");
    }

    /// Once every model can answer; no longer when the server is leaving.
    public void ready(Exchange exchange) {
        if (models.ready()) {
            answer(exchange, 200, "Service is ready.", "ready");
            return;
        }
        exchange.header("retry-after", "2");
        answer(exchange, 503, reason(), "not_ready");
    }

    private String reason() {
        if (models.admission().draining()) {
            return "Service is shutting down.";
        }
        List<ServedModel> failed =
                models.all().stream().filter(m -> m.state() == ServedModel.State.FAILED).toList();
        return failed.isEmpty()
                ? "Service is loading its models."
                : failed.getFirst().id() + ": " + failed.getFirst().message();
    }

    private static void answer(Exchange exchange, int status, String message, String word) {
        exchange.send(
                status,
                HttpJson.object()
                        .put("object", "health.response")
                        .put("message", message)
                        .put("status", word));
    }
}
