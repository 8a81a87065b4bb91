package dev.penjing.model.architecture;

import dev.penjing.model.PenjingException;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The tokens that a configuration names by their ids: `eos_token_id` and its like, a number or a
/// list.
public final class NamedTokens {
    private static final Pattern NAMES =
            Pattern.compile(".*_token_(id|ids|index)|(begin_)?suppress_tokens");

    /// Lists of lists and of pairs, which transformers' `GenerationConfig` may have.
    private static final List<String> OTHERS =
            List.of("bad_words_ids", "force_words_ids", "forced_decoder_ids", "sequence_bias");

    private NamedTokens() {}

    /// Gives the tokens other ids. One whose new id is negative is no longer named; negative ids,
    /// which some files write for none, stay.
    ///
    /// @throws PenjingException if ids stand in a form that is not known here
    public static void change(ObjectNode json, IntUnaryOperator ids) {
        for (Map.Entry<String, JsonNode> entry : List.copyOf(json.properties())) {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            if (OTHERS.contains(key) && !value.isNull() && !value.isEmpty()) {
                throw new PenjingException(
                        "the tokens in %s cannot be given other ids: remove it from the teacher's configuration"
                                .formatted(key));
            }
            if (value instanceof ObjectNode part) {
                change(part, ids);
            } else if (NAMES.matcher(key).matches()) {
                change(json, key, value, ids);
            }
        }
    }

    private static void change(ObjectNode json, String key, JsonNode value, IntUnaryOperator ids) {
        if (value instanceof ArrayNode list) {
            ArrayNode changed = json.putArray(key);
            for (JsonNode id : list) {
                int now = ids.applyAsInt(id.asInt(-1));
                if (now >= 0) {
                    changed.add(now);
                }
            }
        } else if (value.isIntegralNumber() && value.asInt() >= 0) {
            int now = ids.applyAsInt(value.asInt());
            if (now >= 0) {
                json.put(key, now);
            } else {
                json.remove(key);
            }
        }
    }
}
