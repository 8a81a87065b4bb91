package dev.penjing.model.text;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The `post_processor` of a `tokenizer.json`: what Hugging Face's library puts around a text.
public final class PostProcessor {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private PostProcessor() {}

    /// The one that puts around a text what these conventions say; `null` in JSON if that is
    /// nothing.
    public static JsonNode of(TextConventions conventions) {
        ObjectNode tokens = JSON.createObjectNode();
        List<JsonNode> before = new ArrayList<>();
        List<JsonNode> after = new ArrayList<>();
        if (conventions.addsBos()) {
            special(SpecialToken.BOS, conventions, tokens, before);
        }
        if (conventions.addsEos()) {
            special(SpecialToken.EOS, conventions, tokens, after);
        }
        if (tokens.isEmpty()) {
            return JSON.nullNode();
        }
        ObjectNode template = JSON.createObjectNode();
        template.put("type", "TemplateProcessing");
        template.putArray("single").addAll(before).add(part("Sequence", "A", 0)).addAll(after);
        ArrayNode pair = template.putArray("pair");
        pair.addAll(before).add(part("Sequence", "A", 0)).addAll(after);
        pair.add(part("Sequence", "B", 1));
        template.set("special_tokens", tokens);
        return template;
    }

    private static void special(
            SpecialToken token, TextConventions conventions, ObjectNode tokens, List<JsonNode> to) {
        if (conventions.text(token).isEmpty() || conventions.id(token).isEmpty()) {
            return;
        }
        String text = conventions.text(token).orElseThrow();
        ObjectNode known = tokens.putObject(text);
        known.put("id", text);
        known.putArray("ids").add(conventions.id(token).orElseThrow());
        known.putArray("tokens").add(text);
        to.add(part("SpecialToken", text, 0));
    }

    private static ObjectNode part(String kind, String id, int type) {
        ObjectNode part = JSON.createObjectNode();
        part.putObject(kind).put("id", id).put("type_id", type);
        return part;
    }

    /// Whether it puts this token, written so, before or behind a text.
    ///
    /// @param processor a template, a sequence with one, or nothing
    static boolean adds(SpecialToken token, String text, JsonNode processor) {
        if (isAtEdge(token, text, processor.path("single"))) {
            return true;
        }
        for (JsonNode one : processor.path("processors")) {
            if (isAtEdge(token, text, one.path("single"))) {
                return true;
            }
        }
        return false;
    }

    /// @param parts of a `TemplateProcessing`: special tokens and, between them, the text
    private static boolean isAtEdge(SpecialToken token, String text, JsonNode parts) {
        if (parts.isEmpty() || text.isEmpty()) {
            return false;
        }
        JsonNode part = parts.get(token == SpecialToken.BOS ? 0 : parts.size() - 1);
        return part.at("/SpecialToken/id").asString("").equals(text);
    }
}
