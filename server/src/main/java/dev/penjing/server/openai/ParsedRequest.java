package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.inference.api.Request;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.ServedModel;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.node.ObjectNode;

/// A chat or completion that was understood.
///
/// @param top alternatives to report with each token, if any are to be
/// @param promptTokens of all its prompts
/// @param requests one for each answer
record ParsedRequest(
        ServedModel model,
        Engine engine,
        RequestParameters parameters,
        OptionalInt top,
        int promptTokens,
        List<Request> requests) {
    /// What an answer begins with, and each of its chunks.
    Head head(String prefix, String kind) {
        return new Head(
                Ids.of(prefix),
                kind,
                System.currentTimeMillis() / 1000,
                model.id(),
                Service.fingerprint(engine));
    }

    /// @param created in seconds since 1970
    record Head(String id, String kind, long created, String model, String fingerprint) {
        ObjectNode json() {
            return HttpJson.object()
                    .put("id", id)
                    .put("object", kind)
                    .put("created", created)
                    .put("model", model)
                    .put("system_fingerprint", fingerprint);
        }
    }
}
