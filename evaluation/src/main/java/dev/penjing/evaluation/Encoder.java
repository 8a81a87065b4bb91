package dev.penjing.evaluation;

import dev.penjing.evaluation.python.PythonText;
import dev.penjing.model.PenjingException;
import dev.penjing.model.language.ScoredText;
import dev.penjing.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// Prompts to tokens, as lm-evaluation-harness 0.4.13 does (`_encode_pair` of `api/model.py`,
/// `_loglikelihood_tokens` of `models/huggingface.py`).
///
/// @param begin the token that every text begins with, if it does
/// @param beginText its written form: a text that begins so already gets no other
/// @param lone the token that stands before an answer without a context
/// @param room the most ids a model reads
record Encoder(
        Tokenizer tokenizer, OptionalInt begin, String beginText, OptionalInt lone, int room) {
    /// @param begins whether texts begin with the special token for that
    static Encoder of(
            Tokenizer tokenizer,
            boolean begins,
            Optional<String> bos,
            Optional<String> eos,
            int room) {
        OptionalInt first = bos.map(tokenizer::id).orElse(OptionalInt.empty());
        if (begins && first.isEmpty()) {
            throw new PenjingException(
                    "the model has no token to begin a text with: leave `bos` out, or say `bos` off");
        }
        OptionalInt last = eos.map(tokenizer::id).orElse(OptionalInt.empty());
        return new Encoder(
                tokenizer,
                begins ? first : OptionalInt.empty(),
                bos.orElse(""),
                first.isPresent() ? first : last,
                room);
    }

    int[] encode(String text) {
        int[] ids = tokenizer.encode(text);
        if (begin.isEmpty() || text.startsWith(beginText)) {
            return ids;
        }
        return IntStream.concat(IntStream.of(begin.getAsInt()), Arrays.stream(ids)).toArray();
    }

    /// The tokens of a context and what follows it, what follows to be scored. What is too long
    /// loses its beginning.
    ScoredText pair(String context, String continuation) {
        if (context.isEmpty()) {
            return alone(continuation);
        }
        String before = PythonText.stripTrailing(context);
        int[] all = encode(context + continuation);
        int from = before.isEmpty() ? 1 : encode(before).length;
        return fit(all, Math.clamp(from, 1, all.length));
    }

    private ScoredText alone(String continuation) {
        int[] ids = tokenizer.encode(continuation);
        if (lone.isEmpty() || (ids.length > 0 && ids[0] == lone.getAsInt())) {
            return fit(ids, 1);
        }
        return fit(
                IntStream.concat(IntStream.of(lone.getAsInt()), Arrays.stream(ids)).toArray(), 1);
    }

    private ScoredText fit(int[] ids, int from) {
        // the last id is only predicted, never read
        int cut = Math.max(0, ids.length - (room + 1));
        return cut == 0
                ? new ScoredText(ids, from)
                : new ScoredText(Arrays.copyOfRange(ids, cut, ids.length), Math.max(1, from - cut));
    }

    /// The tokens of a context that leaves room for an answer.
    int[] prompt(String context, int newTokens) {
        int[] ids = encode(context);
        if (ids.length == 0) {
            ids = lone.stream().toArray();
        }
        int most = Math.max(1, room - newTokens);
        return ids.length <= most ? ids : Arrays.copyOfRange(ids, ids.length - most, ids.length);
    }
}
