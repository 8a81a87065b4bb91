package dev.penjing.inference.measuring;

import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;

/// What a model makes of a text: cut into windows that do not overlap, every token but the first of
/// each scored.
///
/// @param negativeLogLikelihood summed, in nats
/// @param tokens that were scored
/// @param bytes of their text, as UTF-8
public record Perplexity(double negativeLogLikelihood, long tokens, long bytes, double seconds) {
    public double perplexity() {
        return Math.exp(negativeLogLikelihood / tokens);
    }

    public double bitsPerByte() {
        return negativeLogLikelihood / Math.log(2) / bytes;
    }

    /// @param window tokens at most, the context at most
    /// @throws PenjingException if the text has fewer than two tokens, or a log-probability is not
    ///   finite
    public static Perplexity measure(
            LanguageModel model, String text, int window, Progress progress) {
        Tokenizer tokenizer = model.tokenizer();
        int[] ids = tokenizer.encode(text);
        if (ids.length < 2) {
            throw new PenjingException(
                    "the text comes to %d tokens: give more text".formatted(ids.length));
        }
        if (window < 2) {
            throw new UsageException("sequenceLength must be at least 2");
        }
        int size = Math.min(window, model.contextLength());
        long start = System.nanoTime();
        double sum = 0;
        long tokens = 0;
        long bytes = 0;
        for (int at = 0; at < ids.length; at += size) {
            int[] part = Arrays.copyOfRange(ids, at, Math.min(ids.length, at + size));
            for (float score : model.logProbabilities(List.of(part)).getFirst()) {
                sum -= LogProbabilities.requireFinite(score);
            }
            for (int i = 1; i < part.length; i++) {
                bytes += tokenizer.isSpecial(part[i]) ? 0 : tokenizer.bytes(part[i]).length;
            }
            tokens += part.length - 1;
            double rate = tokens / ((System.nanoTime() - start) / 1e9);
            progress.update(
                    "measure", at + part.length, ids.length, "%,.0f tokens/s".formatted(rate));
        }
        return new Perplexity(sum, tokens, bytes, (System.nanoTime() - start) / 1e9);
    }
}
