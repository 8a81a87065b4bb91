package dev.penjing.inference.api;

import dev.penjing.inference.constraint.Constraint;
import dev.penjing.model.UsageException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What to continue, and how.
///
/// @param prompt at least one id
/// @param maxNewTokens at most; the context may end it earlier
/// @param minNewTokens that are made before anything may end it: ends of text and `stopTokens` are
///   not drawn until then, nor stop texts looked for. A filled form ends it all the same
/// @param stops texts that end the answer before them, wherever token borders fall
/// @param stopTokens ids that end it, besides the model's own ends of text
/// @param ignoreEnd whether to go on behind the model's ends of text
/// @param topLogProbabilities how many alternatives to report; empty for no log-probabilities
/// @param constraint the form that the answer must have. It ends when the form is filled, whatever
///   `ignoreEnd` says
public record Request(
        int[] prompt,
        int maxNewTokens,
        int minNewTokens,
        Sampling sampling,
        List<String> stops,
        Set<Integer> stopTokens,
        boolean ignoreEnd,
        OptionalInt topLogProbabilities,
        Optional<Constraint> constraint) {
    public Request {
        if (prompt.length == 0) {
            throw new UsageException("the prompt is empty: give at least one token");
        }
        if (maxNewTokens < 1) {
            throw new UsageException("max_tokens must be at least 1");
        }
        if (minNewTokens < 0 || minNewTokens > maxNewTokens) {
            throw new UsageException("min_tokens must be between 0 and max_tokens");
        }
        if (stops.stream().anyMatch(String::isEmpty)) {
            throw new UsageException("a stop text is empty");
        }
        prompt = prompt.clone();
        stops = List.copyOf(stops);
        stopTokens = Set.copyOf(stopTokens);
    }

    /// One that may end at once.
    public Request(
            int[] prompt,
            int maxNewTokens,
            Sampling sampling,
            List<String> stops,
            Set<Integer> stopTokens,
            boolean ignoreEnd,
            OptionalInt topLogProbabilities,
            Optional<Constraint> constraint) {
        this(
                prompt,
                maxNewTokens,
                0,
                sampling,
                stops,
                stopTokens,
                ignoreEnd,
                topLogProbabilities,
                constraint);
    }

    /// A plain continuation.
    public static Request of(int[] prompt, int maxNewTokens, Sampling sampling) {
        return new Request(
                prompt,
                maxNewTokens,
                sampling,
                List.of(),
                Set.of(),
                false,
                OptionalInt.empty(),
                Optional.empty());
    }

    /// The same, of so many tokens at least.
    public Request atLeast(int tokens) {
        return new Request(
                prompt,
                maxNewTokens,
                tokens,
                sampling,
                stops,
                stopTokens,
                ignoreEnd,
                topLogProbabilities,
                constraint);
    }

    /// The same, going on behind the model's ends of text.
    public Request endless() {
        return new Request(
                prompt,
                maxNewTokens,
                minNewTokens,
                sampling,
                stops,
                stopTokens,
                true,
                topLogProbabilities,
                constraint);
    }

    /// The same, held to a form.
    public Request constrained(Constraint form) {
        return new Request(
                prompt,
                maxNewTokens,
                minNewTokens,
                sampling,
                stops,
                stopTokens,
                ignoreEnd,
                topLogProbabilities,
                Optional.of(form));
    }
}
