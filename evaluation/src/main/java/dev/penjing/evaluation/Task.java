package dev.penjing.evaluation;

import dev.penjing.evaluation.data.DataSet;
import dev.penjing.model.language.Prompt;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/// A benchmark, or one of its parts: how its items become prompts, and answers scores. What is the
/// same for all, shots and tokens, is done by [Prompts] and [Evaluation].
public sealed interface Task {
    String name();

    /// Whose definition this is, and which edition of it.
    String version();

    /// What to read, and what to show before it.
    Source source();

    /// How many items are shown before the one that is asked, where nobody says otherwise.
    int shots();

    /// Stands before the shots; ends as it should.
    default String description() {
        return "";
    }

    /// How many of `items` items are asked: all, but for a benchmark that asks a part.
    default int asked(int items) {
        return items;
    }

    /// @throws dev.penjing.model.PenjingException if the object lacks what an item needs
    Item read(JsonNode item);

    /// The score that the benchmark is usually reported by: a key of what `judge` returns.
    String headline();

    /// Scores the likelihoods of continuations.
    non-sealed interface Choosing extends Task {
        /// @param logLikelihoods summed natural logarithms, one a choice or context
        /// @return from 0 to 1, by `metric,filter`
        Map<String, Double> judge(Item item, double[] logLikelihoods);
    }

    /// Scores written texts.
    non-sealed interface Writing extends Task {
        Generation generation();

        /// @param texts as many as `generation` asks for
        /// @return from 0 to 1, by `metric,filter`
        Map<String, Double> judge(Item item, List<String> texts);
    }

    /// @param evaluated the split that is asked
    /// @param shown the split that shots are taken from
    /// @param order how they are taken
    record Source(DataSet data, String evaluated, String shown, Order order) {}

    /// How shots are taken.
    enum Order {
        /// The first ones of the split, for every item.
        FIRST,
        /// Drawn anew for every item.
        DRAWN,
        /// The same, one more than needed; the item itself is left out, were it among them.
        DRAWN_WITH_SPARE
    }

    /// @param until the text ends before the first of these
    /// @param samples texts for each item
    /// @param untilSpecial whether any special token ends the text; the harness reads on behind all
    ///   but the model's own end
    /// @param maxContextAndNew tokens of prompt and answer together, where the benchmark bounds
    ///   them together
    record Generation(
            List<String> until,
            int maxNewTokens,
            OptionalInt maxContextAndNew,
            double temperature,
            double topP,
            int samples,
            boolean untilSpecial) {
        public static Generation greedy(List<String> until, int maxNewTokens) {
            return new Generation(until, maxNewTokens, OptionalInt.empty(), 0, 1, 1, false);
        }

        /// The same, ended by any special token too.
        public Generation endedBySpecial() {
            return new Generation(
                    until, maxNewTokens, maxContextAndNew, temperature, topP, samples, true);
        }

        Generation withMaxNewTokens(int tokens) {
            return new Generation(
                    until, tokens, maxContextAndNew, temperature, topP, samples, untilSpecial);
        }

        Prompt.Draw draw(long seed) {
            return temperature == 0 ? Prompt.Draw.GREEDY : new Prompt.Draw(temperature, topP, seed);
        }
    }
}
