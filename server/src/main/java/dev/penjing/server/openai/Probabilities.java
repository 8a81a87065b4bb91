package dev.penjing.server.openai;

import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.model.tokenizer.Tokenizer;
import dev.penjing.server.http.HttpJson;
import dev.penjing.server.models.AnswerService.Token;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Log-probabilities in the forms of chat and of completions.
final class Probabilities {
    /// What OpenAI gives for what is next to impossible.
    private static final double LEAST = -9999;

    private Probabilities() {}

    /// `choices[].logprobs` of a chat.
    static ObjectNode chat(List<Token> tokens, Tokenizer tokenizer) {
        ObjectNode all = HttpJson.object();
        all.set("content", list(tokens, tokenizer, true));
        all.putNull("refusal");
        return all;
    }

    /// As above, the list alone.
    ///
    /// @param withBytes whether each token's bytes are told, too: a response's events have none
    static ArrayNode list(List<Token> tokens, Tokenizer tokenizer, boolean withBytes) {
        ArrayNode list = HttpJson.array();
        for (Token token : tokens) {
            LogProbabilities known = token.probabilities().orElseThrow();
            ObjectNode entry = list.addObject();
            fill(entry, token.id(), known.chosen(), tokenizer, withBytes);
            ArrayNode top = entry.putArray("top_logprobs");
            for (LogProbabilities.Entry other : known.top()) {
                fill(top.addObject(), other.id(), other.logProbability(), tokenizer, withBytes);
            }
        }
        return list;
    }

    private static void fill(
            ObjectNode node,
            int id,
            double logProbability,
            Tokenizer tokenizer,
            boolean withBytes) {
        byte[] bytes = bytes(id, tokenizer);
        node.put("token", new String(bytes, StandardCharsets.UTF_8));
        node.put("logprob", shown(logProbability));
        if (withBytes) {
            ArrayNode list = node.putArray("bytes");
            for (byte b : bytes) {
                list.add(b & 0xff);
            }
        }
    }

    private static double shown(double logProbability) {
        return Math.max(LEAST, Math.min(0, logProbability));
    }

    static byte[] bytes(int id, Tokenizer tokenizer) {
        return id < tokenizer.vocabularySize() ? tokenizer.bytes(id) : new byte[0];
    }

    static String text(int id, Tokenizer tokenizer) {
        return new String(bytes(id, tokenizer), StandardCharsets.UTF_8);
    }

    /// Adds a token to `choices[].logprobs` of a completion.
    ///
    /// @param offset of the token in the text, in characters
    static void add(ObjectNode logprobs, Token token, int offset, Tokenizer tokenizer) {
        logprobs.withArray("tokens").add(text(token.id(), tokenizer));
        logprobs.withArray("text_offset").add(offset);
        ArrayNode values = logprobs.withArray("token_logprobs");
        ArrayNode top = logprobs.withArray("top_logprobs");
        if (token.probabilities().isEmpty()) {
            // the first token of a text has none
            values.addNull();
            top.addNull();
            return;
        }
        LogProbabilities known = token.probabilities().get();
        values.add(shown(known.chosen()));
        ObjectNode map = top.addObject();
        for (LogProbabilities.Entry other : known.top()) {
            map.put(text(other.id(), tokenizer), shown(other.logProbability()));
        }
        map.put(text(token.id(), tokenizer), shown(known.chosen()));
    }

    /// As completions begin them.
    static ObjectNode completion() {
        ObjectNode node = HttpJson.object();
        node.putArray("text_offset");
        node.putArray("token_logprobs");
        node.putArray("tokens");
        node.putArray("top_logprobs");
        return node;
    }
}
