package dev.penjing.server.openai;

import dev.penjing.inference.api.Finish;
import dev.penjing.server.http.HttpJson;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// What a request took, in tokens.
///
/// @param cached tokens of the prompt whose keys and values were there
record Usage(int prompt, int completion, int cached) {
    /// Of answers to one prompt.
    static Usage of(int promptTokens, List<Finish> finishes) {
        return new Usage(
                promptTokens,
                finishes.stream().mapToInt(Finish::newTokens).sum(),
                finishes.stream().mapToInt(Finish::cachedTokens).max().orElse(0));
    }

    /// As responses name it. Cache writes are those that a client asks for, which it cannot here.
    ObjectNode response() {
        ObjectNode node = HttpJson.object();
        node.put("input_tokens", prompt);
        node.putObject("input_tokens_details")
                .put("cached_tokens", cached)
                .put("cache_write_tokens", 0);
        node.put("output_tokens", completion);
        node.putObject("output_tokens_details").put("reasoning_tokens", 0);
        node.put("total_tokens", prompt + completion);
        return node;
    }

    ObjectNode json() {
        ObjectNode node = HttpJson.object();
        node.put("prompt_tokens", prompt);
        node.put("completion_tokens", completion);
        node.put("total_tokens", prompt + completion);
        node.putObject("prompt_tokens_details").put("cached_tokens", cached);
        return node;
    }
}
