package dev.penjing.server.openai;

import dev.penjing.inference.api.Finish;
import dev.penjing.inference.api.LogProbabilities;
import dev.penjing.server.models.AnswerService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An answer that is wanted whole, as far as it has come.
final class CollectedAnswer {
    private final StringBuilder text = new StringBuilder();
    private final List<AnswerService.Token> tokens = new ArrayList<>();
    private Optional<Finish> finish = Optional.empty();

    void take(AnswerService.Part part) {
        text.append(part.text());
        tokens.addAll(part.tokens());
        finish = part.finish();
    }

    String text() {
        return text.toString();
    }

    List<AnswerService.Token> tokens() {
        return tokens;
    }

    /// `length` if it was not begun, too.
    String reason() {
        return finish.map(Service::reason).orElse("length");
    }

    /// The mean of its tokens' log-probabilities.
    double likelihood() {
        return tokens.stream()
                .flatMap(t -> t.probabilities().stream())
                .mapToDouble(LogProbabilities::chosen)
                .average()
                .orElse(Double.NEGATIVE_INFINITY);
    }

    static Usage usage(int promptTokens, List<CollectedAnswer> all) {
        return Usage.of(promptTokens, all.stream().flatMap(made -> made.finish.stream()).toList());
    }
}
