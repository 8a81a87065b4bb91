package dev.penjing.inference.measuring;

import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.UsageException;
import dev.penjing.model.language.LanguageModel;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;

/// What a model makes of a text: cut into windows that do not overlap, every token but the first of
/// each scored. Where the model's texts begin with BOS, that is the first.
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

    /// @param begin what every text of the model begins with: each window does, too
    /// @param text hands its pieces on, one after another
    /// @param window tokens at most, the context at most
    /// @throws PenjingException if the text has too few tokens, or a log-probability is not finite
    public static Perplexity measure(
            LanguageModel model,
            OptionalInt begin,
            Consumer<Consumer<String>> text,
            int window,
            Progress progress) {
        if (window < 2) {
            throw new UsageException("sequenceLength must be at least 2");
        }
        int size = Math.min(window, model.contextLength());
        Sum sum = new Sum(model, begin, size, progress);
        text.accept(piece -> {
            for (int id : model.tokenizer().encode(piece)) {
                sum.add(id);
            }
        });
        sum.score();
        if (sum.tokens == 0) {
            throw new PenjingException("the text comes to too few tokens: give more text");
        }
        return new Perplexity(sum.negative, sum.tokens, sum.bytes, sum.seconds());
    }

    /// The windows so far; one of them is in memory.
    private static final class Sum {
        private final LanguageModel model;
        private final OptionalInt begin;
        private final Progress progress;
        private final int[] window;
        private final long start = System.nanoTime();
        private int length;
        private double negative;
        private long tokens;
        private long bytes;

        Sum(LanguageModel model, OptionalInt begin, int size, Progress progress) {
            this.model = model;
            this.begin = begin;
            this.progress = progress;
            this.window = new int[size];
        }

        void add(int id) {
            if (length == 0 && begin.isPresent()) {
                window[length++] = begin.getAsInt();
            }
            window[length++] = id;
            if (length == window.length) {
                score();
            }
        }

        void score() {
            int[] ids = Arrays.copyOf(window, length);
            length = 0;
            if (ids.length < 2) {
                return;
            }
            for (float score : model.logProbabilities(List.of(ids)).getFirst()) {
                negative -= LogProbabilities.requireFinite(score);
            }
            Tokenizer tokenizer = model.tokenizer();
            for (int i = 1; i < ids.length; i++) {
                bytes += tokenizer.isSpecial(ids[i]) ? 0 : tokenizer.bytes(ids[i]).length;
            }
            tokens += ids.length - 1;
            progress.update("measure", tokens, 0, "%,.0f tokens/s".formatted(tokens / seconds()));
        }

        double seconds() {
            return (System.nanoTime() - start) / 1e9;
        }
    }
}
