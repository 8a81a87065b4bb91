package dev.penjing.compression.repair;

import dev.penjing.model.architecture.Role;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/// What became of one matrix.
///
/// @param layer of the student's
/// @param slicedError on held-out text, as a share of the target's squares
/// @param refittedError the same of the best refit
/// @param ridge of the best refit; 0 where none could be computed
record Refit(int layer, Role role, double slicedError, double refittedError, double ridge) {
    /// Whether the refit took the sliced matrix's place.
    boolean kept() {
        return ridge > 0 && refittedError < slicedError;
    }

    void write(ObjectNode json) {
        json.put("layer", layer);
        json.put("matrix", role.name().toLowerCase(Locale.ROOT));
        json.put("sliced_error", slicedError);
        json.put("refitted_error", refittedError);
        json.put("ridge", ridge);
        json.put("kept", kept());
    }

    static Refit read(tools.jackson.databind.JsonNode json) {
        return new Refit(
                json.path("layer").asInt(),
                Role.valueOf(json.path("matrix").asString("").toUpperCase(Locale.ROOT)),
                json.path("sliced_error").asDouble(),
                json.path("refitted_error").asDouble(),
                json.path("ridge").asDouble());
    }
}
