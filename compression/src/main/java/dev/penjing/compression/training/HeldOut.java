package dev.penjing.compression.training;

import dev.penjing.compression.data.TokenFile;
import dev.penjing.compression.decoder.Decoder;
import dev.penjing.compression.torch.Tensors;
import dev.penjing.model.PenjingException;
import dev.penjing.model.Progress;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/// A text that no model was trained on, and what a model makes of it.
///
/// The text is cut into windows of `window` tokens that do not overlap, the last one as it falls;
/// in each window every token but the first is scored.
///
/// @param limit measure on about this many tokens from the start; `Long.MAX_VALUE` for all
public record HeldOut(TokenFile tokens, int window, int[] bytesOfId, long limit) {
    /// Tokens that go through the model at once.
    private static final int BATCH_TOKENS = 4096;

    public static HeldOut of(TokenFile tokens, int window, Tokenizer tokenizer, long limit) {
        int[] bytes = new int[tokenizer.vocabularySize()];
        for (int id = 0; id < bytes.length; id++) {
            bytes[id] = tokenizer.isSpecial(id) ? 0 : tokenizer.bytes(id).length;
        }
        return new HeldOut(tokens, window, bytes, limit);
    }

    /// @param crossEntropy mean, in nats a token
    /// @param divergence mean Kullback-Leibler divergence from the teacher, in nats a token; 0
    ///   without a teacher
    /// @param bytes UTF-8 bytes of the scored tokens
    public record Measures(double crossEntropy, double divergence, long tokens, long bytes) {
        public double perplexity() {
            return Math.exp(crossEntropy);
        }

        public double bitsPerByte() {
            return crossEntropy * tokens / Math.log(2) / bytes;
        }
    }

    /// @param teacher to measure the divergence from
    /// @throws PenjingException if what the model says is not finite
    public Measures measure(Decoder model, Optional<Decoder> teacher, Progress progress) {
        Objective objective = teacher.isPresent() ? new ForwardKl() : new CrossEntropy();
        try (HeadLoss loss = new HeadLoss(objective, model.compute().threads())) {
            return measure(model, teacher, loss, progress);
        }
    }

    private Measures measure(
            Decoder model, Optional<Decoder> teacher, HeadLoss loss, Progress progress) {
        HeadLoss.Sums sums = HeadLoss.Sums.ZERO;
        long bytes = 0;
        long end = Math.min(tokens.size(), limit);
        int rows = Math.max(1, BATCH_TOKENS / window);
        for (long at = 0; at + 1 < end; ) {
            int length = (int) Math.min(window, end - at);
            int count = (int) Math.max(1, Math.min(rows, (end - at) / window));
            int[] ids = tokens.slice(at, count * length);
            sums = sums.plus(score(model, teacher, loss, ids, count, length));
            for (int i = 0; i < ids.length; i++) {
                bytes += i % length == 0 ? 0 : bytesOfId[ids[i]];
            }
            at += ids.length;
            progress.update("measure", at, end, "");
        }
        if (!Double.isFinite(sums.crossEntropy()) || !Double.isFinite(sums.divergence())) {
            throw new PenjingException(
                    "the model's loss on the held-out text is not finite (cross-entropy %s, divergence %s): its weights are damaged"
                            .formatted(sums.crossEntropy(), sums.divergence()));
        }
        return new Measures(
                sums.crossEntropy() / sums.tokens(),
                sums.divergence() / sums.tokens(),
                sums.tokens(),
                bytes);
    }

    private static HeadLoss.Sums score(
            Decoder model,
            Optional<Decoder> teacher,
            HeadLoss loss,
            int[] ids,
            int rows,
            int length) {
        try (PointerScope scope = new PointerScope();
                AutoGradMode noGrad = new AutoGradMode(false)) {
            Tensor all = model.compute().place(Tensors.ids(ids, rows, length));
            Tensor inputs = all.narrow(1, 0, length - 1).contiguous();
            Tensor targets = all.narrow(1, 1, length - 1).reshape(-1);
            Tensor hidden = model.hidden(model.embed(inputs));
            Optional<HeadLoss.Teacher> taught =
                    teacher.map(t -> new HeadLoss.Teacher(t.hidden(t.embed(inputs)), t.head()));
            return loss.run(hidden, model.head(), targets, taught, Optional.empty());
        }
    }
}
