package dev.penjing.inference.api;

import dev.penjing.model.UsageException;
import java.util.Map;
import java.util.OptionalLong;

/// How the next token is drawn from the model's distribution. Settings are OpenAI's and vLLM's.
///
/// @param temperature 0 takes the likeliest token
/// @param topK draw from so many likeliest tokens; 0 for all
/// @param topP draw from the likeliest tokens whose probabilities reach this sum (Holtzman et al.
///   2020)
/// @param minP draw from tokens at least this share as likely as the likeliest
/// @param repetitionPenalty logits of tokens that were there, prompt included, are divided by it if
///   positive, multiplied if negative (Keskar et al. 2019)
/// @param frequencyPenalty is taken off a token's logit for each time that it was made
/// @param presencePenalty is taken off once if it was made at all
/// @param logitBias is added to the logits of these ids
/// @param seed the same seed gives the same text, whatever else runs
public record Sampling(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float frequencyPenalty,
        float presencePenalty,
        Map<Integer, Float> logitBias,
        OptionalLong seed) {
    public static final Sampling GREEDY =
            new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.empty());

    public Sampling {
        require(temperature >= 0 && temperature <= 100, "temperature must be between 0 and 100");
        require(topK >= 0, "top_k must be 0 (all) or positive");
        require(topP > 0 && topP <= 1, "top_p must be above 0 and at most 1");
        require(minP >= 0 && minP <= 1, "min_p must be between 0 and 1");
        require(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition_penalty must be above 0 and at most 100");
        require(Math.abs(frequencyPenalty) <= 2, "frequency_penalty must be between -2 and 2");
        require(Math.abs(presencePenalty) <= 2, "presence_penalty must be between -2 and 2");
        logitBias = Map.copyOf(logitBias);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new UsageException(message);
        }
    }

    /// Draws at a temperature, from a seed.
    public static Sampling at(float temperature, long seed) {
        return new Sampling(temperature, 0, 1, 0, 1, 0, 0, Map.of(), OptionalLong.of(seed));
    }
}
