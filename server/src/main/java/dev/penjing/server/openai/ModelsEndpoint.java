package dev.penjing.server.openai;

import dev.penjing.inference.Engine;
import dev.penjing.server.http.Exchange;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.http.JsonFields;
import dev.penjing.server.models.ServedModel;
import dev.penjing.server.models.ServedModels;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `GET /v1/models`, `GET /v1/models/{id}`, `POST /tokenize`, `POST /detokenize`.
public final class ModelsEndpoint {
    private final ServedModels models;

    public ModelsEndpoint(ServedModels models) {
        this.models = models;
    }

    public void list(Exchange exchange) {
        ObjectNode body = HttpJson.object().put("object", "list");
        ArrayNode data = body.putArray("data");
        models.all().forEach(model -> data.add(json(model)));
        exchange.send(200, body);
    }

    /// @param id as it stands in the path
    public void one(Exchange exchange, String id) {
        exchange.send(200, json(models.get(id)));
    }

    /// OpenAI's fields, and vLLM's and NIM's `root`, `parent`, `max_model_len` and `permission`.
    private static ObjectNode json(ServedModel model) {
        long created = model.created().getEpochSecond();
        ObjectNode node = HttpJson.object();
        node.put("id", model.id());
        node.put("object", "model");
        node.put("created", created);
        node.put("owned_by", "system");
        node.put("root", model.id());
        node.putNull("parent");
        model.loaded().ifPresent(engine -> node.put("max_model_len", engine.contextLength()));
        ObjectNode permission = node.putArray("permission").addObject();
        permission.put("id", "modelperm-" + Integer.toHexString(model.id().hashCode()));
        permission.put("object", "model_permission");
        permission.put("created", created);
        permission.put("allow_create_engine", false);
        permission.put("allow_sampling", true);
        permission.put("allow_logprobs", true);
        permission.put("allow_search_indices", false);
        permission.put("allow_view", true);
        permission.put("allow_fine_tuning", false);
        permission.put("organization", "*");
        permission.putNull("group");
        permission.put("is_blocking", false);
        return node;
    }

    /// `POST /tokenize`: a text, or a conversation as its template writes it, as ids.
    public void tokenize(Exchange exchange) {
        JsonFields fields = exchange.fields();
        Engine engine = named(fields);
        int[] ids =
                fields.node("messages").isPresent() ? chat(engine, fields) : text(engine, fields);
        fields.end();
        ObjectNode body = HttpJson.object();
        body.put("count", ids.length);
        body.put("max_model_len", engine.contextLength());
        ArrayNode tokens = body.putArray("tokens");
        for (int id : ids) {
            tokens.add(id);
        }
        exchange.send(200, body);
    }

    /// As vLLM: a text gets the special tokens that it gets in a completion, unless
    /// `add_special_tokens` is false.
    private static int[] text(Engine engine, JsonFields fields) {
        String text =
                fields.text("prompt").orElseThrow(() -> fields.wrong("prompt", "is required"));
        return TextPrompt.of(engine, text, fields.flag("add_special_tokens", true)).ids();
    }

    /// As vLLM: the template writes the special tokens itself, so that none are added unless
    /// `add_special_tokens` is true, and never a second BOS token.
    private static int[] chat(Engine engine, JsonFields fields) {
        Map<String, Object> more =
                Map.of("add_generation_prompt", fields.flag("add_generation_prompt", true));
        List<Map<String, Object>> messages = Messages.of(fields);
        int[] ids = ChatEndpoint.prompt(engine, messages, Tools.NONE, more);
        return fields.flag("add_special_tokens") ? engine.begun(ids) : ids;
    }

    public void detokenize(Exchange exchange) {
        JsonFields fields = exchange.fields();
        Engine engine = named(fields);
        int[] ids =
                fields.ids(
                        "tokens", fields.required("tokens"), engine.tokenizer().vocabularySize());
        fields.end();
        exchange.send(200, HttpJson.object().put("prompt", engine.tokenizer().decode(ids, false)));
    }

    /// The model of the request; the only one need not be named.
    private Engine named(JsonFields fields) {
        String id =
                fields.text("model")
                        .orElseGet(() -> {
                            if (models.all().size() > 1) {
                                throw fields.wrong("model", "is required");
                            }
                            return models.all().getFirst().id();
                        });
        return models.get(id).engine();
    }
}
