package dev.penjing.compression.repair;

import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What a repair did, for `run.json`.
///
/// @param tokens of calibration text, held-out ones among them
/// @param refits of every matrix that something was tried on
public record RepairReport(
        RepairSettings settings, long tokens, List<Refit> refits, double seconds) {
    public void write(ObjectNode json) {
        json.put("level", settings.level().name().toLowerCase(Locale.ROOT));
        json.put("selection", settings.selection().name().toLowerCase(Locale.ROOT));
        json.put("tokens", tokens);
        json.put("seconds", seconds);
        ArrayNode list = json.putArray("refits");
        refits.forEach(refit -> refit.write(list.addObject()));
    }

    /// One line for people.
    public String describe() {
        long kept = refits.stream().filter(Refit::kept).count();
        double sliced = refits.stream().mapToDouble(Refit::slicedError).average().orElse(0);
        double after =
                refits.stream()
                        .mapToDouble(r -> r.kept() ? r.refittedError() : r.slicedError())
                        .average()
                        .orElse(0);
        return "repaired %d of %d matrices: mean error on held-out text %.4f -> %.4f, %,d tokens, %.0f s"
                .formatted(kept, refits.size(), sliced, after, tokens, seconds);
    }
}
