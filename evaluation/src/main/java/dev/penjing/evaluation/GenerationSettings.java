package dev.penjing.evaluation;

import dev.penjing.model.identity.Fingerprint;
import dev.penjing.model.language.Prompt;
import java.util.List;
import java.util.OptionalInt;

/// How a task has its answers written.
///
/// @param until stop texts: the answer ends before the first of these
/// @param maxNewTokens of an answer
/// @param maxContextAndNew tokens of prompt and answer together, where the benchmark bounds them
///   together
/// @param temperature 0 writes the likeliest
/// @param topP the likeliest tokens that together have this much probability are drawn from
/// @param samples answers for each item
/// @param untilSpecial whether any special token ends the answer; the harness reads on behind all
///   but the model's own end
public record GenerationSettings(
        List<String> until,
        int maxNewTokens,
        OptionalInt maxContextAndNew,
        double temperature,
        double topP,
        int samples,
        boolean untilSpecial) {
    public static GenerationSettings greedy(List<String> until, int maxNewTokens) {
        return new GenerationSettings(until, maxNewTokens, OptionalInt.empty(), 0, 1, 1, false);
    }

    /// The same, ended by any special token too.
    public GenerationSettings endedBySpecial() {
        return new GenerationSettings(
                until, maxNewTokens, maxContextAndNew, temperature, topP, samples, true);
    }

    GenerationSettings withMaxNewTokens(int tokens) {
        return new GenerationSettings(
                until, tokens, maxContextAndNew, temperature, topP, samples, untilSpecial);
    }

    Prompt.Draw draw(long seed) {
        return temperature == 0 ? Prompt.Draw.GREEDY : new Prompt.Draw(temperature, topP, seed);
    }

    /// A hash of all of it.
    String key() {
        return Fingerprint.of("generation settings", 1)
                .with("until", stops(until))
                .with("max_new_tokens", maxNewTokens)
                .with("max_context_and_new", maxContextAndNew.orElse(-1))
                .with("temperature", temperature)
                .with("top_p", topP)
                .with("samples", samples)
                .with("until_special", untilSpecial)
                .sha256();
    }

    /// Stop texts as one text that no other list of them gives.
    static String stops(List<String> until) {
        Fingerprint all = Fingerprint.of("stop texts", 1);
        for (int i = 0; i < until.size(); i++) {
            all.with(Integer.toString(i), until.get(i));
        }
        return all.sha256();
    }
}
