package dev.penjing.inference.forward;

import dev.penjing.model.identity.Arithmetic;

/// The seam between what decides which tokens go through a model (scheduler, scoring, speculative
/// decoding) and what computes them: a batch in, logits out, and a paged key-value cache in
/// between. Whoever calls it says which block holds what; it knows blocks by their numbers only.
/// Used by one thread at a time. Owns its weights and cache until closed.
///
/// A row's logits depend on its token, its position, and what the cache holds of the positions
/// before it; never on what else is in the batch, not by a bit.
public interface ForwardPass extends AutoCloseable {
    /// Runs the batch, and writes the keys and values of its rows.
    ///
    /// @return the logits of its wanted rows, in order, a row every [#logitsStride]: the caller's
    ///   to change until the next call
    float[] forward(Batch batch);

    /// The logarithm of the sum of the exponentials of a row of logits: what turns a logit into a
    /// log-probability. Not finite if a logit is not.
    ///
    /// @param at where the row begins
    double logSumExp(float[] logits, int at);

    /// The same for rows from the first on, at once.
    ///
    /// @param to gets one for each row
    void logSumExps(float[] logits, int rows, double[] to);

    /// Tokens of the model, and logits of a row.
    int vocabularySize();

    /// Floats of a row of logits, padding counted.
    int logitsStride();

    /// The most rows of a batch.
    int maxRows();

    /// Positions that the model was made for.
    int contextLength();

    /// Blocks of the key-value cache.
    int blocks();

    /// Positions of a block.
    int blockTokens();

    /// Bytes of a block.
    long blockBytes();

    /// Copies the keys and values of a block into another.
    void copyBlock(int from, int to);

    /// Bytes of the weights in memory.
    long weightBytes();

    /// Bytes of the weights that are read for one row: over the memory's bytes a second, what
    /// limits a single answer's speed.
    long weightBytesPerToken();

    /// What its numbers depend on beside weights and texts.
    Arithmetic arithmetic();

    @Override
    void close();
}
