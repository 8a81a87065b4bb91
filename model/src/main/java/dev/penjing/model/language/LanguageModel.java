package dev.penjing.model.language;

import dev.penjing.model.PenjingException;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.IntConsumer;

/// What a language model can do, whatever runs it. Not thread-safe unless an implementation says
/// so.
public interface LanguageModel extends AutoCloseable {
    Tokenizer tokenizer();

    /// The most tokens that one sequence may have; a text to score may have one more.
    int contextLength();

    /// For each sequence of n >= 1 ids the n - 1 natural logarithms of the probability of ids 1 to
    /// n - 1, each given all before it. Sequences are scored together, in whatever batches suit.
    ///
    /// @throws PenjingException if a sequence is empty, holds an id outside the vocabulary, or is
    ///   longer than the context by more than its last id, which is predicted and never read
    List<float[]> logProbabilities(List<int[]> sequences);

    /// For each text the natural logarithm of the probability of its scored ids together, given
    /// what stands before them. What texts share at the beginning is computed once, so give those
    /// that begin alike together. A text's result may differ in rounding with what it is given
    /// beside.
    ///
    /// @throws PenjingException as `logProbabilities`
    double[] likelihoods(List<ScoredText> texts);

    /// Continues each prompt, several at once. The answers hold the new ids alone, the last one
    /// included.
    ///
    /// @param done called with the index of each prompt whose answer is complete
    /// @throws PenjingException if a prompt is empty, as long as the context, or holds an id
    ///   outside the vocabulary
    List<int[]> generate(List<Prompt> prompts, IntConsumer done);

    @Override
    void close();
}
