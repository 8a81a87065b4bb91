package dev.penjing.model;

import dev.penjing.model.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.IntPredicate;

/// What a language model can do, whatever runs it. Not thread-safe unless an implementation says
/// so.
public interface LanguageModel extends AutoCloseable {
    Tokenizer tokenizer();

    /// The most tokens that one sequence may have.
    int contextLength();

    /// For each sequence of n >= 1 ids the n - 1 natural logarithms of the probability of ids 1 to
    /// n - 1, each given all before it. Sequences are scored together, in whatever batches suit.
    ///
    /// @throws PenjingException if a sequence is empty, longer than the context, or holds an id
    ///   outside the vocabulary
    List<float[]> logProbabilities(List<int[]> sequences);

    /// Continues `prompt` greedily by at most `maxNewTokens` ids, ending before the first that
    /// `stop` accepts. The answer holds the new ids alone.
    int[] generate(int[] prompt, int maxNewTokens, IntPredicate stop);

    @Override
    void close();
}
